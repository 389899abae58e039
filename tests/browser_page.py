"""The web page as tests find it: served from a folder of its own, opened in chromium.

A plugin of the tests that need it: ``pytest_plugins = ("browser_page",)``.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser_steps import CHROMIUM, PATIENCE, SIZES, UPLOAD_MB, write_webcam
from playwright.sync_api import Browser, Page, sync_playwright

QUIET = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
)  # fmt: skip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("page")


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    port = 17860
    command = "import typer; from recipes.web.command import ui; typer.run(ui)"
    words = ["--port", port, "--max-upload", UPLOAD_MB, "--folder", folder / "web"]
    with open(folder / "log", "w") as log:
        page = subprocess.Popen(
            [sys.executable, "-c", command, *map(str, words)], stderr=log,
            env={**os.environ, "HOME": str(folder), "XDG_DATA_HOME": str(folder)},
        )  # fmt: skip
    try:
        for _ in range(1500):
            if "open http" in (folder / "log").read_text():
                break
            assert page.poll() is None, (folder / "log").read_text()
            time.sleep(0.2)
        yield f"http://127.0.0.1:{port}/"
    finally:
        page.terminate()
        page.wait(30)
    assert "Traceback" not in (folder / "log").read_text()


@pytest.fixture(scope="module")
def browser(folder: Path) -> Iterator[Browser]:
    film = f"--use-file-for-fake-video-capture={write_webcam(folder / 'webcam.y4m')}"
    with sync_playwright() as starting:
        found = starting.chromium.launch(executable_path=CHROMIUM, args=[*QUIET, film])
        yield found
        found.close()


@pytest.fixture(params=["desktop", "phone"])
def page(request: pytest.FixtureRequest, browser: Browser, address: str) -> Iterator[Page]:
    """The page, opened anew; it fails if anything was asked of another machine."""
    width, height = SIZES[request.param]
    phone = request.param == "phone"
    context = browser.new_context(
        viewport={"width": width, "height": height}, is_mobile=phone, has_touch=phone,
        accept_downloads=True, permissions=["microphone", "camera"],
    )  # fmt: skip
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda sent: asked.append(sent.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda m: faults.append(m.text) if m.type == "error" else None)
    page.goto(address)
    page.locator("#swap-start-2").wait_for()
    page.wait_for_timeout(1000)
    page.size = request.param
    yield page
    context.close()
    assert not [url for url in asked if not url.startswith((address, "data:", "blob:"))]
    assert not [f for f in faults if "404" not in f and f != "Response"]  # a refused upload
