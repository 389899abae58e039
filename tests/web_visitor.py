"""A visitor of the web page without a browser: presses buttons over HTTP, as the page does."""

from __future__ import annotations

import json
import secrets
from pathlib import Path
from typing import Any

import httpx


class Visitor:
    """One visitor of the page at ``address``."""

    def __init__(self, address: str, **options: Any) -> None:
        self.http = httpx.Client(base_url=address, timeout=120, **options)
        self.session = secrets.token_hex(6)
        config = self.http.get("config").json()
        self._parts = {c["id"]: c for c in config["components"]}
        self._ids = {c["props"].get("elem_id"): c["id"] for c in config["components"]}
        self._events = config["dependencies"]

    def upload(self, path: Path) -> dict[str, Any]:
        """Upload a file; returns it as a component's value."""
        with open(path, "rb") as file:
            sent = self.http.post("gradio_api/upload", files={"files": (path.name, file)})
        sent.raise_for_status()
        return file_value(sent.json()[0], path.name)

    def value(self, name: str, prop: str = "value") -> Any:
        """What a component holds when the page is opened."""
        return self._parts[self._ids[name]]["props"].get(prop)

    def press(self, button: str, given: dict[str, Any], *, event: str = "click") -> dict[str, Any]:
        """Press the button; ``given`` and the result are by elem_id; the rest has its default.

        Args:
            event: what else than a click happens to the component.
        """
        targets = [self._ids[button], event]
        happens = next(e for e in self._events if targets in e["targets"])
        named = {self._ids[name]: value for name, value in given.items()}
        assert set(named) <= set(happens["inputs"])
        data = [
            named.get(part, self._parts[part]["props"].get("value")) for part in happens["inputs"]
        ]
        body = {"data": data, "fn_index": happens["id"], "session_hash": self.session}
        self.http.post("gradio_api/queue/join", json=body).raise_for_status()
        outputs = [self._parts[part]["props"].get("elem_id") for part in happens["outputs"]]
        return dict(zip(outputs, self._last_output(), strict=True))

    def _last_output(self) -> list[Any]:
        last: list[Any] = []
        listening = {"session_hash": self.session}
        with self.http.stream("GET", "gradio_api/queue/data", params=listening) as events:
            for line in events.iter_lines():
                if not line.startswith("data:"):
                    continue
                message = json.loads(line[5:])
                if message["msg"] == "process_generating":
                    last = _patched(last, message["output"]["data"])
                if message["msg"] == "process_completed":
                    assert message["success"], message
                    return last or message["output"]["data"]
        raise AssertionError("the page hung up")


def file_value(path: str, name: str) -> dict[str, Any]:
    """A file as a component's value."""
    return {"path": path, "orig_name": name, "meta": {"_type": "gradio.FileData"}}


def _patched(old: list[Any], new: list[Any]) -> list[Any]:
    """Later messages hold only what changed, as [operation, path, value] lists."""
    if not old:
        return new
    return [_apply(before, changes) for before, changes in zip(old, new, strict=True)]


def _apply(value: Any, changes: list[Any]) -> Any:
    for operation, path, new in changes:
        if not path:
            value = new
            continue
        inside = value
        for step in path[:-1]:
            inside = inside[step]
        if operation == "delete":
            del inside[path[-1]]
        elif operation == "append":
            inside[path[-1]] += new
        else:
            inside[path[-1]] = new
    return value
