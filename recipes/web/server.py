"""Serves the page, and keeps its doors: who may come in, what may be read, what goes out."""

from __future__ import annotations

import asyncio
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout
from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recipes.web.doors import LOOPBACK, Doors
from recipes.web.results import RESULTS, UNFINISHED, WEEK, Results, sweep
from recipes.web.site import Site
from recipes.web.work import Workroom
from voicefake.common.devices import Device
from voicefake.common.errors import WrongUse

_CLIENTS = 40
_SPARE_BYTES = 2**30
_POLICY = (
    "default-src 'self' data: blob:; script-src 'self' 'unsafe-inline' 'unsafe-eval' blob:; "
    "style-src 'self' 'unsafe-inline'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)
"""The browser itself keeps the page from asking anything of another machine."""


class Guard:
    """Turns away what this page has no use for.

    On loopback: requests under another host's name, by which a web site that the user visits
    could reach it (DNS rebinding), and those that such a site sends here. Everywhere: gradio's
    ways of fetching from other servers, and uploads that would fill the disk.

    Args:
        folder: where uploads go.
        hosts: names under which the page may be asked for (none: any).
    """

    def __init__(self, app: ASGIApp, folder: Path, hosts: tuple[str, ...] = ()) -> None:
        self._app, self._folder, self._hosts = app, folder, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer, or pass on."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers, path = Headers(scope=scope), scope["path"]
        if self._hosts and _host(f"//{headers.get('host', '')}") not in self._hosts:
            await PlainTextResponse("unknown host", 421)(scope, receive, send)
        elif self._hosts and _host(headers.get("origin", f"//{LOOPBACK[0]}")) not in self._hosts:
            await PlainTextResponse("not from there", 403)(scope, receive, send)
        elif "/proxy=" in path or "/file=http" in path or scope["type"] != "http":
            await PlainTextResponse("not here", 403)(scope, receive, send)
        elif path.endswith("/upload") and not self._has_room(headers.get("content-length", "0")):
            await PlainTextResponse("the disk is full", 507)(scope, receive, send)
        else:
            await self._app(scope, receive, _with_headers(send))

    def _has_room(self, length: str) -> bool:
        free = shutil.disk_usage(self._folder).free
        return length.isdecimal() and free - int(length) > _SPARE_BYTES


def _host(address: str) -> str | None:
    try:
        return urlsplit(address).hostname
    except ValueError:  # half an IPv6 address
        return None


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["Content-Security-Policy"] = _POLICY
            headers["Referrer-Policy"] = "no-referrer"
            headers["X-Content-Type-Options"] = "nosniff"
        await send(message)

    return sent


@contextmanager
def serve(folder: Path, doors: Doors, device: Device) -> Iterator[str]:
    """Serve the page until the block ends; yields its address.

    Args:
        folder: for uploads, results and what stopped jobs have left.

    Raises:
        WrongUse: the folder or the port is in use, or cannot be used.
    """
    with _kept(folder) as files:
        from recipes.web.page import CSS, HEAD, build, theme

        room = Workroom()
        site = Site(
            Results(files / RESULTS, doors.keep_bytes),
            room,
            files / UNFINISHED,
            doors.upload_bytes,
            device,
        )
        page = build(site)
        page.queue(max_size=4 * _CLIENTS, default_concurrency_limit=_CLIENTS)
        hosts = LOOPBACK if doors.host in LOOPBACK else ()
        try:
            _, address, _ = page.launch(
                server_name=doors.host,
                server_port=doors.port,
                auth=_asking(doors.password),
                auth_message="Any name will do; the password was chosen by whoever runs this page.",
                allowed_paths=[],
                max_file_size=doors.upload_bytes,
                max_threads=2 * _CLIENTS,
                app_kwargs={
                    "middleware": [Middleware(Guard, folder=files, hosts=hosts)],
                    "docs_url": None,
                    "redoc_url": None,
                    "openapi_url": None,
                },
                theme=theme(),
                css=CSS,
                head=HEAD,
                footer_links=[],
                run_history=False,
                share=False,
                enable_monitoring=False,
                mcp_server=False,
                ssr_mode=False,
                pwa=False,
                num_workers=0,
                prevent_thread_lock=True,
                quiet=True,
            )
        except (OSError, ValueError) as error:
            room.close()
            raise WrongUse(
                f"{doors.host}:{doors.port}", f"cannot be listened on ({error})", "choose --port"
            ) from error
        try:
            yield address
        finally:
            room.close()
            page.close(verbose=False)


@contextmanager
def _kept(folder: Path) -> Iterator[Path]:
    """The folder of all that visitors give and get, held by this page alone."""
    files = folder / "files"
    try:
        files.mkdir(parents=True, exist_ok=True, mode=0o700)
        lock = FileLock(folder / "lock")
        lock.acquire(timeout=0)
    except Timeout as error:
        raise WrongUse(folder, "is in use by another page", "end it, or give --folder") from error
    except OSError as error:
        raise WrongUse(folder, f"cannot be used ({error.strerror})", "give --folder") from error
    with lock:
        sweep(files, 0)  # what an earlier page left
        (files / UNFINISHED).mkdir(exist_ok=True)
        sweep(files / UNFINISHED, WEEK)
        os.environ["GRADIO_TEMP_DIR"] = str(files)  # gradio knows no other way
        os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
        yield files


def _asking(password: str | None) -> Any:
    """Who may come in, for gradio (``None``: everybody)."""
    if password is None:
        return None

    async def may_enter(name: str, given: str) -> bool:
        if secrets.compare_digest(given.encode(), password.encode()):
            return True
        await asyncio.sleep(2)  # guessing takes its time
        return False

    return may_enter
