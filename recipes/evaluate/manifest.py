"""Many pairs at once: who is the target of each, what was measured, and their means."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from recipes.evaluate.face import Known
from recipes.evaluate.faces import FaceIdentity
from recipes.evaluate.figures import FACE, VOICE, Summary, summarise
from recipes.evaluate.gallery import Gallery, Person, embed_frames, person_of
from recipes.evaluate.jury import Jury, Target
from recipes.evaluate.own_mesh import own_mesh
from recipes.evaluate.pairs import Judged, judge_face, judge_voice
from voicefake.common.errors import BadInput, WrongUse
from voicefake.common.files import regular_file
from voicefake.common.progress import Reporter, Silent, Stage

_MOST_RECORDINGS = 20


@dataclass(frozen=True)
class Pair:
    """A file and what was made of it.

    Attributes:
        voice, face: recordings or pictures of the target, or the name of a profile.
    """

    source: Path
    result: Path
    voice: tuple[str, ...] = ()
    face: tuple[str, ...] = ()
    text: str = ""


@dataclass(frozen=True)
class Evaluation:
    """What was measured on some pairs."""

    pairs: Sequence[Pair]
    judged: Sequence[Mapping[str, Judged]]
    absent: Mapping[str, None]

    @cached_property
    def total(self) -> dict[str, Sequence[Summary]]:
        """Means over all pairs, ``voice`` and ``face``; of one pair its own intervals."""
        if len(self.pairs) == 1:
            return {name: found.summaries for name, found in self.judged[0].items()}
        found: dict[str, Sequence[Summary]] = {}
        for name, meanings in (("voice", VOICE), ("face", FACE)):
            rows = [
                {"clip": str(pair.source), **judged[name].row}
                for pair, judged in zip(self.pairs, self.judged, strict=True)
                if name in judged
            ]
            if rows:
                found[name] = summarise(rows, meanings)
        return found

    def to_json(self) -> dict[str, Any]:
        """As ``--json`` shows it."""
        pairs = [
            {"source": str(pair.source), "result": str(pair.result)}
            | {name: found.row for name, found in judged.items()}
            for pair, judged in zip(self.pairs, self.judged, strict=True)
        ]
        total = {name: [s.row() for s in found] for name, found in self.total.items()}
        return {"pairs": pairs, "total": total, "not_judged_for_want_of": list(self.absent)}

    def write_pages(self, output: Path, *, force: bool, reporter: Reporter | None = None) -> None:
        """One page per pair: at ``output``, or in it where there are several."""
        from recipes.reports import write_report

        for pair, judged in zip(self.pairs, self.judged, strict=True):
            page = output / f"{pair.result.name}.html" if len(self.pairs) > 1 else output
            write_report(
                pair.source, pair.result, page, judged=judged, force=force, reporter=reporter
            )


def single_pair(
    files: Sequence[Path], voice: Sequence[str] | None, face: Sequence[str] | None, text: str
) -> list[Pair]:
    """The pair of a command line.

    Raises:
        WrongUse: there are not two files.
    """
    if len(files) != 2:
        given = " ".join(map(str, files)) or "evaluate"
        raise WrongUse(given, "is not a source and a result", "name two files, or --manifest")
    return [Pair(files[0], files[1], tuple(voice or ()), tuple(face or ()), text)]


def read_manifest(path: Path) -> list[Pair]:
    """The pairs of a CSV file, paths relative to it.

    Raises:
        BadInput: it is no such list.
    """
    with regular_file(path).open(newline="", encoding="utf-8") as file:
        try:
            return [
                Pair(
                    path.parent / row["source"],
                    path.parent / row["result"],
                    _who(row.get("voice"), path.parent),
                    _who(row.get("face"), path.parent),
                    row.get("text") or "",
                )
                for row in csv.DictReader(file)
            ]
        except (KeyError, UnicodeDecodeError, csv.Error) as error:
            fault = f"is no list of pairs ({error})"
            raise BadInput(path, fault, "give it the columns source and result") from error


def judge_pairs(pairs: Sequence[Pair], reporter: Reporter | None = None) -> Evaluation:
    """Judge every pair by all that is installed.

    Raises:
        BadInput: a file cannot be read.
        WrongUse: a target is neither a file nor a profile.
    """
    judges = _Judges()
    bar = (reporter or Silent()).stage("judging", 2 * len(pairs))
    judged = [judges.judge(pair, bar) for pair in pairs]
    return Evaluation(pairs, judged, judges.jury.absent)


class _Judges:
    def __init__(self) -> None:
        self.jury = Jury()
        self._voices: dict[tuple[str, ...], Target] = {}
        self._faces: dict[tuple[str, ...], Known | None] = {}

    @cached_property
    def identity(self) -> FaceIdentity | None:
        return self.jury.load(FaceIdentity)

    def judge(self, pair: Pair, bar: Stage) -> dict[str, Judged]:
        for path in (pair.source, pair.result):
            regular_file(path)
        target = self._voice(pair.voice) if pair.voice else None
        known = self._face(pair.face) if pair.face else None
        voice = judge_voice(self.jury, pair.source, pair.result, target=target, text=pair.text)
        bar.advance()
        found = {"voice": voice, "face": judge_face(pair.source, pair.result, own_mesh, known)}
        bar.advance()
        return {name: judged for name, judged in found.items() if judged}

    def _voice(self, who: tuple[str, ...]) -> Target:
        if who not in self._voices:
            files = _files(who)
            if not files:
                raise WrongUse(who[0], "is no recording", "name recordings of the target")
            self._voices[who] = Target.of([self.jury.take(path) for path in files])
        return self._voices[who]

    def _face(self, who: tuple[str, ...]) -> Known | None:
        if self.identity is None:
            return None
        if who not in self._faces:
            person = self._person(who, self.identity)
            self._faces[who] = Known(who[0], Gallery([person]), self.identity)
        return self._faces[who]

    def _person(self, who: tuple[str, ...], identity: FaceIdentity) -> Person:
        files = _files(who)
        if files:
            return person_of(who[0], files, identity)
        from facesync.identities import load_identity
        from facesync.store import identity_store

        references = load_identity(identity_store().find(who[0])).references
        faces = embed_frames([reference.crop for reference in references], identity)
        if not faces:
            raise BadInput(who[0], "has no reference in which a face is found", "name pictures")
        return Person.of(who[0], [[face] for face in faces])


def _files(who: Sequence[str]) -> list[Path]:
    found: list[Path] = []
    for name in who:
        path = Path(name)
        if path.is_dir():
            found += sorted(p for p in path.iterdir() if p.is_file())[:_MOST_RECORDINGS]
        elif path.is_file():
            found.append(path)
    return found


def _who(value: str | None, folder: Path) -> tuple[str, ...]:
    """Files below ``folder`` where there are such, else names."""
    names = (value or "").split(";")
    return tuple(
        str(folder / n) if (folder / n).exists() else n for n in map(str.strip, names) if n
    )
