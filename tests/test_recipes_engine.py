from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest

from recipes import engine, library
from recipes.engine import Choices, work_folder
from recipes.report import StepReport, failure_json, print_run
from voicefake.common.commandline import console
from voicefake.common.errors import BadInput, Refused, Stopped, WrongUse
from voicefake.common.marks.story import Person
from voicefake.common.progress import Silent

CHOICES = Choices()


class Copies:
    """A step kind that joins its files and counts how often it ran."""

    suffix = ".txt"

    def __init__(self, fails: BaseException | None = None, fingerprint: str = "") -> None:
        self.fails = fails
        self.fingerprint = fingerprint
        self.calls: list[engine.Call] = []

    def check(self, call):
        if isinstance(self.fails, Refused):
            raise self.fails
        return self.fingerprint

    def perform(self, call, reporter):
        self.calls.append(call)
        if self.fails:
            raise self.fails
        joined = "+".join(sorted(p.read_text() for p in call.files.values())[::-1])
        call.output.write_text(f"{call.step.do}({joined})")
        person = Person(call.step.do, call.step.name, "synthetic")
        return StepReport(call.step.name, "copied", (*call.people, person), ("odd",), {"n": 1})


@pytest.fixture
def clip(tmp_path) -> Path:
    path = tmp_path / "clip.mp4"
    path.write_text("clip")
    return path


def planned(clip, kinds, choices=CHOICES, **assignments):
    bound = library.bind(library.find("swap"), {"video": str(clip), **assignments})
    return engine.plan(bound, clip.with_name("out.txt"), choices, kinds)


@pytest.mark.parametrize(
    "setting", [{"voice": "my voice"}, {"voice": "../x"}, {"face": ""}, {"face": "käthe"}]
)
def test_what_cannot_be_a_name_is_wrong_use(clip, setting) -> None:
    with pytest.raises(WrongUse, match=r"cannot be the (speaker|identity) of step"):
        planned(clip, {"voice": Copies(), "face": Copies()}, **setting)


def run(clip, voice_kind, face_kind, choices=CHOICES, **assignments):
    kinds = {"voice": voice_kind, "face": face_kind}
    return engine.run(planned(clip, kinds, choices, **assignments), kinds, Silent())


def test_steps_run_in_order_and_nothing_is_left_behind(clip):
    voice, face = Copies(), Copies()
    report = run(clip, voice, face)
    assert report.output.read_text() == "face(voice(clip)+clip)"
    assert sorted(p.name for p in clip.parent.iterdir()) == ["clip.mp4", "out.txt"]
    assert not voice.calls[0].final and face.calls[0].final


def test_who_is_in_the_sound_is_told_to_the_last_step(clip):
    voice, face = Copies(), Copies()
    report = run(clip, voice, face)
    assert [p.kind for p in face.calls[0].people] == ["voice"]
    assert [p.kind for p in report.steps[-1].people] == ["voice", "face"]


def test_an_interrupted_run_goes_on(clip):
    voice = Copies()
    with pytest.raises(Stopped):
        run(clip, voice, Copies(KeyboardInterrupt()))
    assert work_folder(clip.with_name("out.txt")).is_dir()
    report = run(clip, voice, Copies())
    assert len(voice.calls) == 1
    assert report.steps[0].reused and report.steps[0].figures == {"n": 1}
    assert not work_folder(report.output).exists()


@pytest.mark.parametrize("change", ["input", "setting", "seed", "profile", "damaged"])
def test_what_has_changed_is_done_again(clip, change):
    voice = Copies()
    with pytest.raises(Stopped):
        run(clip, voice, Copies(KeyboardInterrupt()))
    choices, settings = Choices(), {}
    if change == "input":
        clip.write_text("other")
    elif change == "setting":
        settings = {"voice": "kerstin"}
    elif change == "seed":
        choices = replace(choices, seed=1)
    elif change == "profile":
        voice.fingerprint = "retrained"
    else:
        next(work_folder(clip.with_name("out.txt")).glob("*.txt")).write_text("cut")
    run(clip, voice, Copies(), choices, **settings)
    assert len(voice.calls) == 2


def test_a_failure_leaves_nothing(clip):
    with pytest.raises(BadInput):
        run(clip, Copies(), Copies(BadInput("x", "y", "z")))
    assert [p.name for p in clip.parent.iterdir()] == ["clip.mp4"]


def test_a_refusal_comes_before_any_work(clip):
    voice = Copies()
    with pytest.raises(Refused):
        run(clip, voice, Copies(Refused("x", "expired", "renew")))
    assert not voice.calls


def test_an_output_that_exists_needs_force(clip):
    output = clip.with_name("out.txt")
    output.write_text("old")
    voice = Copies()
    with pytest.raises(WrongUse, match="exists already"):
        run(clip, voice, Copies())
    assert output.read_text() == "old" and not voice.calls
    run(clip, voice, Copies(), Choices(force=True))
    assert output.read_text() != "old"


def test_the_input_is_never_the_output(clip):
    bound = library.bind(library.find("swap"), {"video": str(clip)})
    kinds = {"voice": Copies(), "face": Copies()}
    link = clip.with_name("link.mp4")
    link.symlink_to(clip)
    for output in (clip, link):
        with pytest.raises(WrongUse, match="is an input"):
            engine.plan(bound, output, Choices(force=True), kinds)


def test_two_runs_to_one_output_do_not_mix(clip):
    kinds = {"voice": Copies(), "face": Copies()}
    first = planned(clip, kinds)

    class Meddles(Copies):
        def perform(self, call, reporter):
            with pytest.raises(WrongUse, match="another run"):
                engine.run(first, kinds, Silent())
            return super().perform(call, reporter)

    report = run(clip, Meddles(), Copies())
    assert report.output.exists()
    assert not kinds["voice"].calls


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_killed_run_goes_on(clip):
    """kill -9 in the second step: the first one's file is kept and used."""
    program = f"""
        import os, signal
        from pathlib import Path
        import sys
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_recipes_engine import Copies, run
        class Dies(Copies):
            def perform(self, call, reporter):
                os.kill(os.getpid(), signal.SIGKILL)
        run(Path({str(clip)!r}), Copies(), Dies())
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(program)], check=False)
    assert done.returncode == -signal.SIGKILL
    assert not clip.with_name("out.txt").exists()
    voice = Copies()
    report = run(clip, voice, Copies())
    assert not voice.calls and report.steps[0].reused


def test_a_folder_that_cannot_be_written_is_told(clip):
    if os.geteuid() == 0:
        output = Path("/proc/nowhere/out.txt")
    else:
        clip.parent.chmod(0o500)
        output = clip.with_name("out.txt")
    kinds = {"voice": Copies(), "face": Copies()}
    bound = library.bind(library.find("swap"), {"video": str(clip)})
    with pytest.raises(WrongUse, match="cannot be written"):
        engine.run(engine.plan(bound, output, Choices(), kinds), kinds, Silent())


def test_the_report_fits_people_and_scripts(clip):
    report = run(clip, Copies(), Copies())
    told = report.to_json()
    assert told["output"].endswith("out.txt")
    assert told["repaired"] == ["odd"], "what both steps say is said once"
    with console.capture() as screen:
        print_run(report)
    assert len(screen.get().splitlines()) < 25
    assert "out.txt" in screen.get().replace("\n", "")
    assert "refused" in failure_json(clip, Refused("a", "b", "c"))
    assert "error" in failure_json(clip, BadInput("a", "b", "c"))
