"""The spoken statement of a consent record, and whether its voice is that of the recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from voicefake.common.consent.record import ConsentRecord
from voicefake.common.consent.voiceprint import Listener, Voiceprint
from voicefake.common.errors import BadInput, Refused
from voicefake.common.files import regular_file
from voicefake.common.hashes import sha256_of

# Both measured with python -m recipes.safeguards.consent_match, see README.md beside this file.
NEAR_ENOUGH = 0.90
STRANGER = 0.75
LEAST_SECONDS = 8.0
_GROUP_SECONDS = 10.0


@dataclass(frozen=True)
class VoiceMatch:
    """How near the voice of a statement is to the voice of recordings.

    Attributes:
        nearness: of all of them, 0 to 1.
        farthest: the recording in which ten seconds of speech or more are farthest off.
        farthest_nearness: of these.
    """

    nearness: float
    farthest: Path
    farthest_nearness: float

    @property
    def same(self) -> bool:
        """Whether all are taken for one person's."""
        return self.nearness >= NEAR_ENOUGH and self.farthest_nearness >= STRANGER


def find_statement(record: ConsentRecord, path: Path, given: Path | None = None) -> Path:
    """The recording of the statement that ``record``, which lies at ``path``, was signed with.

    Args:
        given: where it is; default: beside the record.

    Raises:
        Refused: the record names none, it is not at hand, or it is another one.
        BadInput: ``given`` cannot be read.
    """
    whose = f"consent of {record.subject}"
    if not record.statement_audio_sha256:
        raise Refused(
            whose,
            "holds no recording of the spoken statement to compare with",
            f"record it, then voicefake consent sign {path} --statement FILE --force",
        )
    statement = given or path.parent / record.statement_audio
    if given is None and not (record.statement_audio and statement.is_file()):
        fault = f"the spoken statement {record.statement_audio} is not beside {path}"
        raise Refused(whose, fault, "add --statement FILE")
    if sha256_of(regular_file(statement)) != record.statement_audio_sha256:
        fault = "is not the recording that the consent record was signed with"
        raise Refused(statement, fault, "name that one with --statement")
    return statement


def match_voice(statement: Path, recordings: Sequence[Path]) -> VoiceMatch:
    """Compare the voice of ``statement`` with that of ``recordings``, of all and of each.

    Raises:
        BadInput: one cannot be read, or too little is spoken.
    """
    listener = Listener()
    spoken = Voiceprint.joined(list(listener.listen(statement)))
    if spoken.seconds < LEAST_SECONDS:
        fault = f"holds {spoken.seconds:.0f} s of speech, and {LEAST_SECONDS:.0f} s are needed"
        raise BadInput(statement, fault, "record the whole statement and sign again")
    groups = list(_groups(listener, recordings))
    if not groups:
        raise BadInput(recordings[0], "holds no speech", "name other recordings")
    near, farthest = min((heard.nearness(spoken), path) for path, heard in groups)
    whole = Voiceprint.joined([heard for _, heard in groups])
    return VoiceMatch(whole.nearness(spoken), farthest, near)


def require_same_voice(
    record: ConsentRecord, statement: Path, recordings: Sequence[Path]
) -> VoiceMatch:
    """Stop unless the recordings are of the voice that speaks the statement.

    Raises:
        Refused: some or all of them are of another voice.
        BadInput: as :func:`match_voice`.
    """
    match = match_voice(statement, recordings)
    if match.same:
        return match
    remedy = f"give recordings of {record.subject} alone, or record the statement again"
    if match.nearness < NEAR_ENOUGH:
        near = f"nearness {match.nearness:.2f} of {NEAR_ENOUGH:.2f}, least in {match.farthest.name}"
        fault = f"is spoken by another voice than the recordings ({near})"
        raise Refused(statement, fault, remedy)
    near = f"nearness {match.farthest_nearness:.2f} of {STRANGER:.2f}"
    fault = f"has speech of another voice than the statement of {record.subject} ({near})"
    raise Refused(match.farthest, fault, remedy)


def _groups(listener: Listener, recordings: Sequence[Path]) -> Iterator[tuple[Path, Voiceprint]]:
    """What is heard, in pieces long enough to tell a voice by, each with the file it begins in.

    Files that cannot be read are passed over, as the training does; a last piece that is too
    short joins the one before.

    Raises:
        BadInput: none of the files can be read.
    """
    held: tuple[Path, Voiceprint] | None = None
    for path, heard in _pieces(_readable(listener, recordings)):
        if held and heard.seconds < _GROUP_SECONDS:
            held = held[0], Voiceprint.joined([held[1], heard])
            continue
        if held:
            yield held
        held = path, heard
    if held:
        yield held


def _pieces(parts: Iterable[tuple[Path, Voiceprint]]) -> Iterator[tuple[Path, Voiceprint]]:
    begun: Path | None = None
    heard = Voiceprint.joined([])
    for path, part in parts:
        begun = begun or path
        heard = Voiceprint.joined([heard, part])
        if heard.seconds >= _GROUP_SECONDS:
            yield begun, heard
            begun, heard = None, Voiceprint.joined([])
    if begun and heard.seconds:
        yield begun, heard


def _readable(listener: Listener, recordings: Sequence[Path]) -> Iterator[tuple[Path, Voiceprint]]:
    errors: list[BadInput] = []
    for path in recordings:
        try:
            for part in listener.listen(path):
                yield path, part
        except BadInput as error:
            errors.append(error)
    if errors and len(errors) == len(recordings):
        raise errors[0]
