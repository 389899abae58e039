"""Recipes over many files, what is kept for later runs, and how long it will take."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path

import pytest
from test_recipes_engine import Copies

from recipes import engine, jobs, library
from recipes.engine import Choices
from recipes.estimate import Estimate, estimate, remember
from recipes.publish import made
from voicefake.common.commandline import media_inside
from voicefake.common.errors import BadInput, Stopped, WrongUse
from voicefake.common.progress import Silent

RECIPE = """
format = 1
title = "two steps"
output = "@result"
[inputs.clips]
each = true
[inputs.notes]
folder = true
[[steps]]
name = "notes_read"
do = "clean"
source = "@notes"
keep = true
[[steps]]
name = "result"
do = "sound"
source = "@clips"
sound = "@notes_read"
"""


@pytest.fixture
def kinds(monkeypatch) -> dict[str, Copies]:
    ours = {"clean": Copies(), "sound": Copies()}
    ours["sound"].suffix = ".mp4"
    monkeypatch.setattr(jobs, "KINDS", ours)
    return ours


@pytest.fixture
def given(tmp_path) -> dict[str, str]:
    (tmp_path / "clips" / "day two").mkdir(parents=True)
    for name in ("a.mp4", "day two/b.mp4", ".hidden.mp4", "list.txt"):
        (tmp_path / "clips" / name).write_text(name)
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "n.txt").write_text("n")
    (tmp_path / "r.toml").write_text(RECIPE)
    return {"clips": str(tmp_path / "clips"), "notes": str(tmp_path / "notes")}


def planned(tmp_path, given, output=None):
    entry = library.find(str(tmp_path / "r.toml"))
    inside = media_inside(*entry.recipe.kinds_of_files, quiet=False)
    return jobs.plan_jobs(entry, given, output, inside)


def run(work, choices=None):
    told = []
    batch = jobs.run_jobs(work, choices or Choices(), lambda: nullcontext(Silent()), told.append)
    return batch, told


def names(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


@pytest.fixture(autouse=True)
def notes_are_text(monkeypatch):
    def perform(self, call, reporter):
        self.calls.append(call)
        if self.fails:
            raise self.fails
        call.output.write_text("+".join(sorted(path.name for path in call.files.values())))
        return engine.StepReport(call.step.name, "joined")

    monkeypatch.setattr(Copies, "perform", perform)


def test_a_folder_is_run_file_by_file(tmp_path, given, kinds):
    work = planned(tmp_path, given, tmp_path / "out")
    batch, told = run(work)
    assert batch.code == 0 and len(told) == 2
    assert names(tmp_path / "out") == [
        "a.r.mp4", "a.r.mp4.notes_read.txt",
        "day two/b.r.mp4", "day two/b.r.mp4.notes_read.txt",
    ]  # fmt: skip
    assert len(kinds["clean"].calls) == 1, "what the files share is done once"


def test_what_a_folder_holds_besides_is_told(tmp_path, given, kinds, capsys):
    for name in ("a.wav", "still.png", "a.mp4.voicefake.json", ".git/c.mp4"):
        path = tmp_path / "clips" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    work = planned(tmp_path, given)
    assert [job.bound.source.name for job in work] == ["a.mp4", "b.mp4"]
    told = capsys.readouterr().err
    assert told == (
        f"warning: {tmp_path}/clips: passed over 4 files that are no video: "
        ".hidden.mp4, a.wav, list.txt, …\n"
    )


def test_an_output_without_a_suffix_is_a_folder(tmp_path, given, kinds):
    given["clips"] += "/a.mp4"
    (job,) = planned(tmp_path, given, tmp_path / "out")
    assert job.output == tmp_path / "out" / "a.r.mp4"
    (job,) = planned(tmp_path, given, tmp_path / "out.mov")
    assert job.output == tmp_path / "out.mov"
    with pytest.raises(WrongUse, match="name a file"):
        planned(tmp_path, given, Path("-"))


@pytest.mark.parametrize(
    ("name", "taken"),
    [
        ("swap", ("video",)),
        ("face-only", ("video",)),
        ("voice-only", ("audio", "video")),
        ("picture", ("image",)),
        ("podcast", ("audio", "video")),
    ],
)
def test_a_recipe_takes_of_a_folder_what_its_steps_can_read(name, taken):
    assert library.find(name).recipe.kinds_of_files == taken


def test_a_stopped_batch_goes_on_with_what_is_left(tmp_path, given, kinds):
    work = planned(tmp_path, given, tmp_path / "out")
    perform = Copies.perform

    def stops(call, reporter):
        if len(kinds["sound"].calls) == 1:
            raise KeyboardInterrupt
        return perform(kinds["sound"], call, reporter)

    kinds["sound"].perform = stops
    with pytest.raises(Stopped):
        run(work)
    del kinds["sound"].perform
    batch, told = run(work)
    assert batch.code == 0
    assert [report.steps[-1].reused for report in told] == [True, False]
    assert len(kinds["clean"].calls) == 1
    assert not [p for p in (tmp_path / "out").rglob("*") if p.name.endswith(".work")]


def test_a_batch_beside_its_inputs_goes_on(tmp_path, given, kinds):
    """Neither its results nor the files of its steps are taken for inputs."""
    perform = Copies.perform

    def stops(call, reporter):
        if kinds["sound"].calls:
            raise KeyboardInterrupt
        return perform(kinds["sound"], call, reporter)

    kinds["sound"].perform = stops
    with pytest.raises(Stopped):
        run(planned(tmp_path, given))
    del kinds["sound"].perform
    (work,) = (tmp_path / "clips").glob(".*.work")
    (work / "speech.wav").write_text("of a step")
    again = planned(tmp_path, given)
    assert [job.bound.source.name for job in again] == ["a.mp4", "b.mp4"]
    batch, told = run(again)
    assert batch.code == 0 and not work.exists()
    assert [report.steps[-1].reused for report in told] == [True, False]


def test_one_bad_file_does_not_stop_the_others(tmp_path, given, kinds):
    work = planned(tmp_path, given, tmp_path / "out")
    (tmp_path / "clips" / "a.mp4").write_text("")
    batch, _ = run(work)
    assert batch.code == BadInput.exit_code
    assert [result["output"] is None for result in batch.results] == [True, False]


def test_one_report_that_cannot_be_written_does_not_stop_the_others(tmp_path, given, kinds):
    done = []

    def told(report):
        done.append(report.output)
        raise WrongUse("page.html", "exists already", "add --force")

    work = planned(tmp_path, given, tmp_path / "out")
    batch = jobs.run_jobs(work, Choices(), lambda: nullcontext(Silent()), told)
    assert batch.code == WrongUse.exit_code
    assert done == [job.output for job in work]


def test_two_clips_of_one_name_are_not_written_over_each_other(tmp_path, given, kinds):
    (tmp_path / "clips" / "a.mpg").write_text("b")
    with pytest.raises(WrongUse, match="result of both"):
        planned(tmp_path, given, tmp_path / "out")


def test_named_steps_are_used_again_by_another_output(tmp_path, given, kinds):
    given["clips"] += "/a.mp4"
    for name in ("one.mp4", "two.mp4"):
        run(planned(tmp_path, given, tmp_path / name), Choices(work=tmp_path / "steps"))
    assert len(kinds["clean"].calls) == 1
    assert (tmp_path / "steps").is_dir()
    (tmp_path / "notes" / "more.txt").write_text("x")
    run(planned(tmp_path, given, tmp_path / "three.mp4"), Choices(work=tmp_path / "steps"))
    assert len(kinds["clean"].calls) == 2, "a folder counts with all it holds"


def test_several_files_need_a_folder(tmp_path, given, kinds):
    (tmp_path / "out.mp4").write_text("x")
    with pytest.raises(WrongUse, match="several"):
        planned(tmp_path, given, tmp_path / "out.mp4")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput, match="holds no"):
        planned(tmp_path, {**given, "clips": str(tmp_path / "empty")})


def test_the_estimate_learns_from_runs(tmp_path, own_data_folder):
    from recipes.sample import CLIP
    from recipes.steps import KINDS

    bound = library.bind(library.find("clean"), {"sound": str(CLIP)})
    plan = engine.plan(bound, tmp_path / "out.wav", Choices(), KINDS)
    (ours,) = estimate(plan)
    assert ours.runs == 0 and ours.seconds
    report = engine.run(plan, KINDS, Silent())
    slow = engine.replace(report.steps[0], seconds=484.0)
    remember(plan, engine.replace(report, steps=(slow,)))
    (learnt,) = estimate(plan)
    assert learnt.runs == 1 and learnt.seconds == pytest.approx(484, rel=0.01)
    assert str(learnt) == "about 8 min 4 s, as in 1 runs here"
    assert str(Estimate(None)) == "unknown"


def test_what_is_made_from_the_recipes_is_current():
    for path, text in made():
        assert path.read_text(encoding="utf-8") == text, f"{path}: python -m recipes.publish"
    schema = json.loads(next(text for path, text in made() if path.suffix == ".json"))
    assert "semitones" in schema["$defs"]["VoiceStep"]["properties"]["options"]["properties"]


def test_every_bundled_recipe_names_its_schema():
    for entry in library.bundled():
        first = entry.path.read_text(encoding="utf-8").splitlines()[0]
        assert first.startswith("#:schema ")
        assert (entry.path.parent / first.removeprefix("#:schema ")).is_file()
