"""What a visitor does in the browser, and the screenshots that are kept of it."""

from __future__ import annotations

import shutil
from pathlib import Path

import av
from playwright.sync_api import Page, expect

from recipes.sample import CLIP

CHROMIUM = next(
    (path for name in ("chromium", "chromium-browser", "google-chrome")
     if (path := shutil.which(name))), None
)  # fmt: skip
SIZES = {"desktop": (1280, 900), "phone": (390, 844)}
UPLOAD_MB = 4
PATIENCE = 240_000
SHOTS = Path(__file__).parent.parent / ".screenshots"


def open_tab(page: Page, name: str) -> None:
    page.get_by_role("tab", name=name).click()
    page.wait_for_timeout(1500)


def give(page: Page, part: str, *paths: Path) -> None:
    """Choose files; gradio shows its inputs for files only in the browser's own dialogue."""
    page.locator(f"#{part} input[type=file]").first.set_input_files([str(p) for p in paths])


def said(page: Page, tab: str, words: str) -> None:
    """Wait for ``words``, or for a failure that says something else."""
    line = page.locator(f"#{tab}-status .line")
    line.filter(has_text=words).or_(page.locator(f"#{tab}-status [role=alert]")).wait_for()
    expect(line).to_contain_text(words, timeout=1000)


def keep_picture(page: Page, name: str) -> None:
    SHOTS.mkdir(exist_ok=True)
    page.wait_for_timeout(700)
    page.screenshot(path=SHOTS / f"{page.size}-{name}.png", full_page=True)


def fetched(page: Page, part: str, folder: Path) -> Path:
    """Download what the file list offers first."""
    with page.expect_download() as download:
        page.locator(f"#{part} a[download]").first.click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


def choose(page: Page, label: str, option: str) -> None:
    """One of a list."""
    page.get_by_label(label, exact=True).filter(visible=True).click()
    page.get_by_role("option", name=option).first.click()


def write_webcam(path: Path, frames: int = 50) -> Path:
    """The sample as the raw pictures that chromium plays in place of a webcam."""
    with av.open(str(CLIP)) as source, av.open(str(path), "w", format="yuv4mpegpipe") as target:
        stream = target.add_stream("wrapped_avframe", rate=25)
        stream.width, stream.height, stream.pix_fmt = 320, 320, "yuv420p"
        for number, frame in enumerate(source.decode(video=0)):
            if number < frames:
                target.mux(stream.encode(frame.reformat(format="yuv420p")))
    return path
