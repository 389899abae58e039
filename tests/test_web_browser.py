"""The web page in a real browser, from upload to downloaded result.

Screenshots are left in ``.screenshots`` (which git ignores), to be looked at.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from face_samples import frame, write_clip
from test_cli_swap import pictures, shortened
from voice_samples import write_sound

pytest.importorskip("gradio", reason="needs the extra: web")
pytest.importorskip("playwright", reason="needs playwright")

from browser_steps import (
    CHROMIUM,
    PATIENCE,
    SIZES,
    UPLOAD_MB,
    choose,
    fetched,
    give,
    keep_picture,
    open_tab,
    said,
)
from playwright.sync_api import Page, expect

from recipes.sample import CLIP
from voicefake.common.marks import verify

pytest_plugins = ("browser_page",)
pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(CHROMIUM is None, reason="needs chromium"),
]


@pytest.mark.parametrize("page", ["desktop", "phone"], indirect=True)
def test_convert_from_upload_to_download(page: Page, tmp_path: Path) -> None:
    open_tab(page, "Convert")
    give(page, "convert-source", write_sound(tmp_path / "me.wav", 2.0))
    page.locator("#convert-source [data-testid^=waveform]").first.wait_for()
    page.get_by_role("button", name="Convert", exact=True).click()
    said(page, "convert", "Done")
    keep_picture(page, "convert")
    result = fetched(page, "convert-files", tmp_path)
    assert result.name.startswith("me.") and result.suffix == ".wav"
    assert verify(result).ours


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_swap_of_the_sample_from_preview_to_download(page: Page, tmp_path: Path) -> None:
    page.get_by_role("button", name="Use the sample clip").click()
    page.locator("#swap-source video").wait_for()
    page.get_by_role("button", name="Preview 3 frames").click()
    said(page, "swap", "Three frames")
    page.locator("#swap-sheet img").wait_for()
    page.get_by_role("button", name="Swap the whole clip").click()
    said(page, "swap", "Done")
    page.get_by_role("button", name="Play both").click()
    page.wait_for_function(
        "[...document.querySelectorAll('#swap-source video, #swap-after video')]"
        ".every((video) => video.currentTime > 0)"
    )
    keep_picture(page, "swap")
    result = fetched(page, "swap-files", tmp_path)
    found = verify(result)
    assert found.ours
    assert found.story and found.story["action"] == "voice and face"
    open_tab(page, "History")
    page.locator("#history-after-video video").wait_for()
    page.locator("#history-both").click()
    page.wait_for_function("document.querySelector('#history-after-video video').currentTime > 0")
    keep_picture(page, "history")


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_a_preview_on_the_phone_and_a_swap_that_is_cancelled(
    page: Page, tmp_path: Path, folder: Path
) -> None:
    give(page, "swap-source", shortened(tmp_path / "clip.mp4", frames=100))
    page.locator("#swap-source video").wait_for()
    page.get_by_role("button", name="Preview 5 seconds").click()
    said(page, "swap", "Preview: the first 5 seconds")
    page.locator("#swap-after video").wait_for()
    page.get_by_role("button", name="Swap the whole clip").click()
    page.locator("#swap-status progress").wait_for()
    keep_picture(page, "swap-running")
    page.locator("#swap-cancel").click()
    said(page, "swap", "Cancelled")
    expect(page.locator("#swap-start-2")).to_be_enabled()
    whole = [f for f in (folder / "web/files/results").iterdir() if (f / "result.json").exists()]
    assert sorted((folder / "web/files/results").iterdir()) == sorted(whole)  # nothing half-written


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_the_person_clicked_on_is_swapped(page: Page, tmp_path: Path) -> None:
    left = frame(480, 240, at=(120, 120))
    both = frame(480, 240, at=(360, 120), name="nobody-b", onto=left)
    clip = write_clip(tmp_path / "two.mp4", [both] * 8)
    give(page, "swap-source", clip)
    shown = page.locator("#swap-faces img")
    shown.wait_for()
    box = shown.bounding_box()
    assert box
    scale = min(box["width"] / 480, box["height"] / 240)
    middle = {"x": box["width"] / 2 + 120 * scale, "y": box["height"] / 2}
    shown.click(position=middle)
    said(page, "swap", "Face 2 will be swapped")
    keep_picture(page, "swap-clicked")
    choose(page, "Whose voice", "(keep the voice)")
    page.get_by_role("button", name="Preview 3 frames").click()
    said(page, "swap", "Three frames")
    page.locator("#swap-sheet img").wait_for()
    keep_picture(page, "swap-clicked-sheet")
    page.get_by_role("button", name="Swap the whole clip").click()
    said(page, "swap", "Done")
    (_, before), (_, after) = (
        pictures(p)[4] for p in (clip, fetched(page, "swap-files", tmp_path))
    )
    changed = np.abs(before.astype(int) - after) > 16
    assert changed[:, 240:].mean() > 5 * changed[:, :240].mean()


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_from_the_webcam_to_a_preview(page: Page) -> None:
    source = page.locator("#swap-source")
    source.get_by_label("Capture from camera").click()
    source.locator("button", has_text="Webcam").click()
    page.wait_for_timeout(2000)
    keep_picture(page, "webcam")
    record = source.locator(".capture-button")
    record.click()
    page.wait_for_timeout(2500)
    record.click()
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Preview 3 frames").click()
    said(page, "swap", "Three frames")
    keep_picture(page, "webcam-sheet")


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_a_voice_is_trained_from_upload_to_use(page: Page, tmp_path: Path) -> None:
    open_tab(page, "Train")
    page.get_by_label("Name").fill("ada")
    page.locator("input[type=number]:visible").first.fill("1")
    give(page, "train-media", write_sound(tmp_path / "me.wav", 11.0))
    page.locator("#train-media").get_by_text("me").first.wait_for()
    page.locator("#train-reason textarea").fill("a voice made by the tests")
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator("#train-status progress").wait_for()
    keep_picture(page, "train-running")
    said(page, "train", "Done: ada")
    page.locator("#train-curve canvas, #train-curve svg").first.wait_for()
    page.locator("#train-sound [data-testid^=waveform]").first.wait_for()
    keep_picture(page, "train-done")
    open_tab(page, "Convert")
    give(page, "convert-source", write_sound(tmp_path / "b.wav", 1.0))
    choose(page, "Whose voice", "ada")
    page.get_by_role("button", name="Convert", exact=True).click()
    said(page, "convert", "Done")


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_a_training_of_a_face_is_stopped_and_goes_on(page: Page, tmp_path: Path) -> None:
    open_tab(page, "Train")
    page.get_by_label("Face, from clips").check()
    page.get_by_label("Name").fill("bea")
    page.locator("input[type=number]:visible").first.fill("1")
    give(page, "train-media", shortened(tmp_path / "clip.mp4", frames=60))
    page.locator("#train-media").get_by_text("clip").first.wait_for()
    page.locator("#train-reason textarea").fill("a face that is nobody's")
    page.get_by_role("button", name="Train", exact=True).click()
    page.locator("#train-status").get_by_text("Training").wait_for()
    page.locator("#train-cancel").click()
    said(page, "train", "Stopped")
    keep_picture(page, "train-stopped")
    page.get_by_role("button", name="Train", exact=True).click()
    said(page, "train", "Done: bea")
    page.locator("#train-sheet img").wait_for()
    keep_picture(page, "train-face-done")
    open_tab(page, "People")
    expect(page.locator("#people-table")).to_contain_text("bea")
    choose(page, "One of them", "bea (face)")
    page.locator("#people-looks img").wait_for()
    expect(page.locator("#people-details")).to_contain_text("a face that is nobody's")
    page.locator("#people-details summary").first.click()
    narrow = """() => Math.min(...[...document.querySelectorAll('#people-details dd')]
        .filter((part) => part.offsetParent).map((part) => part.clientWidth))"""
    assert page.evaluate(narrow) > 150, "no columns one letter wide"
    keep_picture(page, "people-bea")


def test_training_without_consent_is_refused(page: Page, tmp_path: Path) -> None:
    open_tab(page, "Train")
    page.get_by_label("Name").fill("ada")
    give(page, "train-media", write_sound(tmp_path / "me.wav", 2.0))
    page.locator("#train-media").get_by_text("me").first.wait_for()
    page.get_by_role("button", name="Train", exact=True).click()
    said(page, "train", "there is no consent record")
    keep_picture(page, "train-refused")


def test_verify_and_people(page: Page, tmp_path: Path) -> None:
    open_tab(page, "People")
    expect(page.locator("#people-table")).to_contain_text("nobody-a")
    keep_picture(page, "people")
    open_tab(page, "Verify")
    give(page, "verify-files", CLIP)
    page.locator("#verify-files").get_by_text("sample").first.wait_for()
    page.get_by_role("button", name="Verify", exact=True).click()
    said(page, "verify", "Done")
    expect(page.locator("#verify-verdict")).to_contain_text("sample.mp4")
    keep_picture(page, "verify")


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_a_pair_is_judged(page: Page, tmp_path: Path) -> None:
    open_tab(page, "Evaluate")
    give(page, "evaluate-before", shortened(tmp_path / "before.mp4", frames=30))
    give(page, "evaluate-after", shortened(tmp_path / "after.mp4", frames=30))
    page.locator("#evaluate-after").get_by_text("after").first.wait_for()
    page.get_by_role("button", name="Judge", exact=True).click()
    said(page, "evaluate", "Done")
    report = page.frame_locator("#evaluate-report iframe")
    report.get_by_role("heading", name="Figures").wait_for()
    keep_picture(page, "evaluate")
    assert "<html" in fetched(page, "evaluate-files", tmp_path).read_text("utf-8")


def test_a_recipe_runs_for_two_sounds(page: Page, tmp_path: Path) -> None:
    open_tab(page, "Recipes")
    choose(page, "What to do", "Clean sound")
    expect(page.locator("#recipes-told")).to_contain_text("rumble and steady noise")
    expect(page.locator("#recipes-told img")).to_have_count(2)
    sounds = [write_sound(tmp_path / f"{name}.wav", 1.5) for name in ("one", "two")]
    give(page, "recipes-file-0", *sounds)
    page.locator("#recipes-file-0").get_by_text("two").first.wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    said(page, "recipes", "Done")
    page.locator("#recipes-after-audio [data-testid^=waveform]").first.wait_for()
    keep_picture(page, "recipes")
    assert fetched(page, "recipes-files", tmp_path).name == "one.clean.wav"
    open_tab(page, "History")
    page.locator("#history-after-audio [data-testid^=waveform]").first.wait_for()
    expect(page.locator("#history-both")).to_be_hidden()


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_wrong_and_too_large_files(page: Page, tmp_path: Path) -> None:
    words = tmp_path / "words.mp4"
    words.write_text("these are words")
    give(page, "swap-source", words)
    said(page, "swap", "words.mp4: is not a sound or video file")
    keep_picture(page, "wrong-type")
    large = tmp_path / "large.wav"
    large.write_bytes(b"\0" * (UPLOAD_MB * 2**20 + 1))
    open_tab(page, "Convert")
    give(page, "convert-source", large)
    expect(page.locator("#convert-source .error")).to_be_visible(timeout=PATIENCE)
    expect(page.locator("#title")).to_contain_text(f"up to {UPLOAD_MB} MB")
    keep_picture(page, "too-large")


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_microphone_to_result(page: Page) -> None:
    open_tab(page, "Convert")
    source = page.locator("#convert-source")
    source.get_by_label("Record audio").first.click()
    source.get_by_role("button", name="Record").first.click()
    page.wait_for_timeout(2500)
    source.get_by_role("button", name="Stop").first.click()
    page.wait_for_timeout(2000)
    page.get_by_role("button", name="Convert", exact=True).click()
    said(page, "convert", "Done")
    keep_picture(page, "microphone")


@pytest.mark.parametrize("page", ["phone"], indirect=True)
def test_fingers_and_keyboard(page: Page) -> None:
    small = page.evaluate(
        """() => [...document.querySelectorAll('button, input, select, summary, [role=tab]')]
        .filter((part) => part.offsetParent && part.type !== 'file')
        .map((part) => [part.ariaLabel || part.textContent.trim(),
                        (part.closest('label') || part).getBoundingClientRect()])
        .filter(([, box]) => box.height < 43.5)
        .map(([name, box]) => `${name} ${box.height}`)"""
    )
    assert not small
    assert page.evaluate("document.documentElement.scrollWidth") <= SIZES["phone"][0]
    unlabelled = page.evaluate(
        """() => [...document.querySelectorAll('button, input:not([type=file]), textarea')]
        .filter((part) => part.offsetParent)
        .filter((part) => !(part.ariaLabel || part.textContent.trim() || part.title
                            || (part.labels && part.labels.length)))
        .map((part) => part.outerHTML.slice(0, 120))"""
    )
    assert not unlabelled
    page.locator("[role=tab]").first.focus()
    seen = []
    for _ in range(40):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.id || document.activeElement.ariaLabel"))
    order = [seen.index(name) for name in ("swap-sample", "Whose voice", "Whose face",
                                           "swap-start-0", "swap-start-2")]  # fmt: skip
    assert order == sorted(order)


@pytest.mark.parametrize("page", ["desktop"], indirect=True)
def test_without_a_mouse(page: Page) -> None:
    """From the sample to a preview and to another page, by keys alone."""

    def go_to(name: str) -> None:
        for _ in range(60):
            page.keyboard.press("Tab")
            at = "document.activeElement.id || document.activeElement.ariaLabel"
            if page.evaluate(at) == name:
                return
        raise AssertionError(f"Tab does not lead to {name}")

    page.locator("[role=tab]").first.focus()
    go_to("swap-sample")
    page.keyboard.press("Enter")
    page.locator("#swap-source video").wait_for()
    go_to("Whose face")
    page.keyboard.type("nobody-a")
    page.keyboard.press("Enter")
    go_to("swap-start-0")
    page.keyboard.press("Enter")
    said(page, "swap", "Three frames")
    page.locator("[role=tab]").first.focus()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.locator("#convert-source").wait_for(state="visible")
    keep_picture(page, "keyboard")
