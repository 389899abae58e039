"""The spoken statement of a consent record, and whether its voice is that of the recordings."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from voicefake.common.consent.conditions import (
    ANYWHERE,
    TELEPHONE,
    Condition,
    as_it_is,
    is_narrow,
    telephone,
)
from voicefake.common.consent.record import ConsentRecord
from voicefake.common.consent.voiceprint import Listener, Voiceprint, half_minutes
from voicefake.common.errors import Action, BadInput, Refused, Remedy
from voicefake.common.files import regular_file
from voicefake.common.hashes import sha256_of
from voicefake.common.text import shell_word

# Both measured with python -m recipes.safeguards.consent_match, see README.md beside this file.
NEAR_ENOUGH = 0.90
NEAR_OVER_TELEPHONE = 0.92  # voices are nearer to each other there
STRANGER = 0.75
LEAST_SECONDS = 8.0
_GROUP_SECONDS = 10.0
_TRIED = 6
"""Groups on which it is tried where the statement was recorded."""
_GIVE_SIGNED = Remedy(Action.GIVE_SIGNED_STATEMENT, "name that one with --statement")


@dataclass(frozen=True)
class VoiceMatch:
    """How near the voice of a statement is to the voice of recordings.

    Attributes:
        nearness: of all of them, 0 to 1.
        farthest: the recording in which ten seconds of speech or more are farthest off.
        farthest_nearness: of these.
        place: where the recordings were heard as if made there (empty: as they are).
    """

    nearness: float
    farthest: Path
    farthest_nearness: float
    place: str = ""

    @property
    def near_enough(self) -> float:
        """Nearness from which on they are taken for one person's."""
        return NEAR_OVER_TELEPHONE if self.place in TELEPHONE else NEAR_ENOUGH

    @property
    def same(self) -> bool:
        """Whether all are taken for one person's."""
        return self.nearness >= self.near_enough and self.farthest_nearness >= STRANGER


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
        sign = f"voicefake consent sign {shell_word(path)} --statement FILE --force"
        raise Refused(
            whose,
            "holds no recording of the spoken statement to compare with",
            Remedy(Action.RECORD_STATEMENT, f"record it, then {sign}"),
        )
    statement = given or path.parent / record.statement_audio
    if given is None and not (record.statement_audio and statement.is_file()):
        fault = f"the spoken statement {record.statement_audio} is not beside {path}"
        raise Refused(whose, fault, Remedy(Action.GIVE_STATEMENT, "add --statement FILE"))
    if sha256_of(regular_file(statement)) != record.statement_audio_sha256:
        fault = "is not the recording that the consent record was signed with"
        raise Refused(statement, fault, _GIVE_SIGNED)
    return statement


def match_voice(statement: Path, recordings: Sequence[Path]) -> VoiceMatch:
    """Compare the voice of ``statement`` with that of ``recordings``, of all and of each.

    Where they are not near as they are, the recordings are heard as they would have sounded over
    a telephone, in noise or in a room, whichever is nearest to the statement.

    Raises:
        BadInput: one cannot be read, or too little is spoken.
    """
    listener = Listener()
    spoken = Voiceprint.joined(list(listener.listen(statement)))
    if spoken.seconds < LEAST_SECONDS:
        fault = f"holds {spoken.seconds:.0f} s of speech, and {LEAST_SECONDS:.0f} s are needed"
        raise BadInput(statement, fault, "record the whole statement and sign again")
    plain = _match(spoken, _groups(listener, recordings), recordings[0])
    if plain.nearness >= NEAR_ENOUGH:
        return plain
    conditions: Mapping[str, Condition] = ANYWHERE
    if all(is_narrow(sound) for sound in half_minutes(statement)):
        conditions = TELEPHONE
        spoken = Voiceprint.joined(list(listener.listen(statement, telephone)))
    parts = {
        name: [heard for _, heard in islice(_groups(listener, recordings, condition), _TRIED)]
        for name, condition in conditions.items()
    }
    place = max(parts, key=lambda name: Voiceprint.joined(parts[name]).nearness(spoken))
    groups = _groups(listener, recordings, conditions[place])
    elsewhere = _match(spoken, groups, recordings[0], place)
    return max(plain, elsewhere, key=lambda match: (match.same, match.nearness))


def _match(
    spoken: Voiceprint, groups: Iterable[tuple[Path, Voiceprint]], first: Path, place: str = ""
) -> VoiceMatch:
    heard = list(groups)
    if not heard:
        raise BadInput(first, "holds no speech", "name other recordings")
    near, farthest = min((part.nearness(spoken), path) for path, part in heard)
    whole = Voiceprint.joined([part for _, part in heard])
    return VoiceMatch(whole.nearness(spoken), farthest, near, place)


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
    if match.nearness < match.near_enough:
        near = f"nearness {match.nearness:.2f} of {match.near_enough:.2f}"
        raise Refused(
            statement,
            f"is spoken by another voice than the recordings ({near}, least in "
            f"{match.farthest.name})",
            f"give recordings of {record.subject} alone; if it is the same voice, record the "
            "statement again with the microphone and in the place of the recordings",
        )
    near = f"nearness {match.farthest_nearness:.2f} of {STRANGER:.2f}"
    fault = f"has speech of another voice than the statement of {record.subject} ({near})"
    raise Refused(match.farthest, fault, f"give recordings of {record.subject} alone")


def _groups(
    listener: Listener, recordings: Sequence[Path], condition: Condition = as_it_is
) -> Iterator[tuple[Path, Voiceprint]]:
    """What is heard, in pieces long enough to tell a voice by, each with the file it begins in.

    Files that cannot be read are passed over, as the training does; a last piece that is too
    short joins the one before.

    Raises:
        BadInput: none of the files can be read.
    """
    held: tuple[Path, Voiceprint] | None = None
    for path, heard in _pieces(_readable(listener, recordings, condition)):
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


def _readable(
    listener: Listener, recordings: Sequence[Path], condition: Condition
) -> Iterator[tuple[Path, Voiceprint]]:
    errors: list[BadInput] = []
    for path in recordings:
        try:
            for part in listener.listen(path, condition):
                yield path, part
        except BadInput as error:
            errors.append(error)
    if errors and len(errors) == len(recordings):
        raise errors[0]
