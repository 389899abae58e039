"""Data sets and profiles that come from elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from facesync.collect import media_files as face_files
from voicefake.common.profiles import Kind, ProfileStore
from voicefake.speakers import speaker_store
from voicefake.train import media_files

LAYOUTS = {
    "LJSpeech": (
        ["metadata.csv", "README", "wavs/LJ001-0001.wav", "wavs/LJ001-0002.wav"],
        ["wavs/LJ001-0001.wav", "wavs/LJ001-0002.wav"],
    ),
    "VCTK, one speaker": (
        ["speaker-info.txt", "txt/p226/p226_001.txt", "wav48/p226/p226_001_mic1.flac"],
        ["wav48/p226/p226_001_mic1.flac"],
    ),
    "RVC": (
        ["ada/1.wav", "ada/2.mp3", "ada/.DS_Store", "ada/._1.wav", "filelist.txt", "added.index"],
        ["ada/1.wav", "ada/2.mp3"],
    ),
    "plain": (["a.ogg", "b/c.m4a", "notes.docx"], ["a.ogg", "b/c.m4a"]),
}


def laid_out(folder: Path, names: list[str]) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x")


@pytest.mark.parametrize("layout", LAYOUTS)
def test_folders_of_other_tools_are_read_as_they_are(tmp_path, layout):
    names, expected = LAYOUTS[layout]
    laid_out(tmp_path, names)
    files, warnings = media_files([tmp_path])
    assert sorted(p.relative_to(tmp_path).as_posix() for p in files) == sorted(expected)
    strangers = len(names) - len(expected)
    what = "1 file that is" if strangers == 1 else f"{strangers} files that are"
    (warning,) = warnings
    assert warning.startswith(f"{tmp_path}: passed over {what} no sound or video: ")


def test_a_faceset_folder_is_read_as_pictures(tmp_path):
    laid_out(tmp_path, ["aligned/00001_0.jpg", "aligned/00002_0.png", "model/data.dat"])
    files, skipped = face_files([tmp_path])
    assert sorted(p.name for p in files) == ["00001_0.jpg", "00002_0.png"]
    assert [item.path.name for item in skipped] == ["data.dat"]


def test_a_speaker_moves_to_another_machine(tmp_path):
    here = speaker_store()
    packed = here.export("kerstin", tmp_path / "kerstin")
    there = ProfileStore(Kind.SPEAKER, user=tmp_path / "other machine")
    there.import_file(packed, "k2")
    assert [profile.name for profile in there.list()] == ["k2"]
    moved, original = there.find("k2"), here.find("kerstin")
    assert moved.files == original.files and moved.consent == original.consent
    moved.require_use("voice")
