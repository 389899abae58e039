from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from recipes.evaluate.figures import Meaning, summarise
from recipes.evaluate.plot import Line, line_chart
from recipes.evaluate.sure import estimate
from recipes.judges import curves
from recipes.judges.held_out import held_out
from voicefake.common.errors import BadInput


def checkpoint(folder: Path, looks: list[dict[str, float]]) -> Path:
    header = json.dumps({"__metadata__": {"state": json.dumps({"history": looks})}}).encode()
    folder.mkdir()
    (folder / "last.safetensors").write_bytes(len(header).to_bytes(8, "little") + header)
    return folder


def test_the_interval_holds_the_mean_and_shrinks_with_more_clips():
    random = np.random.default_rng(2)
    few, many = (estimate(random.normal(3, 1, count).tolist()) for count in (8, 800))
    assert few and many
    assert few.low < few.mean < few.high
    assert many.high - many.low < (few.high - few.low) / 4
    assert many.low < 3 < many.high


def test_values_of_one_clip_count_as_one():
    values = [0.0, 0.0, 0.0, 1.0, 1.0, 1.0]
    alone = estimate(values)
    grouped = estimate(values, ["a", "a", "a", "b", "b", "b"])
    assert alone and grouped
    assert (grouped.low, grouped.high) == (0, 1)
    assert alone.low > 0
    single = estimate([1.0, 2.0], ["a", "a"])
    assert single and np.isnan(single.low) and single.count == 2
    assert estimate([float("nan")]) is None


def test_a_summary_knows_what_natural_recordings_get():
    rows = [{"clip": "a", "x": 1.0, "src_x": 3.0}, {"clip": "b", "x": 2.0, "src_x": 5.0}]
    (summary,) = summarise(rows, {"x": Meaning("X", "src_x", ""), "y": Meaning("Y", 1.0, "")})
    assert (summary.estimate.mean, summary.natural) == (1.5, 4.0)


def test_curves_are_read_from_checkpoints_of_any_training(tmp_path: Path, capsys):
    looks = [{"step": n, "seconds": 60.0 * n, "loss": 1 / n} for n in range(1, 5)]
    one = checkpoint(tmp_path / "one", looks)
    two = checkpoint(tmp_path / "two", [look | {"sharpness": 0.5} for look in looks])
    made = tmp_path / "curves.svg"
    curves.main([str(one), str(two / "last.safetensors"), "-o", str(made)])
    drawn = made.read_text()
    assert drawn.startswith("<svg")
    assert drawn.count('class="line"') == 3
    assert ">one<" in drawn and ">two<" in drawn


def test_what_is_no_checkpoint_is_told_in_one_line(tmp_path: Path):
    path = tmp_path / "x.safetensors"
    path.write_bytes(b"\xff" * 100)
    for given in (path, tmp_path / "none"):
        with pytest.raises(BadInput, match="no checkpoint"):
            curves.history(given)


def test_a_line_breaks_where_there_is_no_number():
    y = np.array([1.0, 2.0, np.nan, 2.0, 1.0])
    drawn = line_chart([Line("f0", np.arange(5.0), y)], "pitch", "s")
    path = drawn.split('<path class="line"')[1]
    assert path.count("M") == 2 and path.count("L") == 2


def test_the_held_out_list_serves_the_table():
    open_sentences = held_out("unheard")
    assert len(open_sentences) >= 12 and all(clip.text for clip in open_sentences)
    assert {"kathleen", "kerstin", "s1"} <= {name for c in open_sentences for name in c.targets}
    assert len({clip.speaker for clip in open_sentences}) >= 6
    assert any(clip.reading for clip in held_out("seen"))
