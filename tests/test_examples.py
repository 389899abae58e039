"""The notebooks-as-scripts run from end to end."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from test_cli_swap import shortened

EXAMPLES = Path(__file__).parent.parent / "recipes" / "examples"
LEAVES = {
    "one_clip": {"swapped.mp4", "voice.mp4"},
    "many_voices": {"kathleen.flac", "kathleen-0.5-kerstin-0.5.flac", "lower.flac"},
    "a_new_person": {"somebody.voice.voicefake", "somebody.face.voicefake"},
}


def test_every_example_is_run_here():
    assert {path.stem for path in EXAMPLES.glob("*.py")} == set(LEAVES)
    for path in EXAMPLES.glob("*.py"):
        assert path.read_text(encoding="utf-8").startswith("# %% [markdown]\n")


@pytest.mark.slow
@pytest.mark.parametrize("name", LEAVES)
def test_an_example_runs(name, tmp_path):
    more = [str(shortened(tmp_path / "clip.mp4"))] if name == "one_clip" else []
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / f"{name}.py"), str(tmp_path), *more],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert LEAVES[name] <= {path.name for path in tmp_path.iterdir()}
    assert "Warning" not in done.stderr, done.stderr
