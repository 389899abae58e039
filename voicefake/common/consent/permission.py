"""What training needs before it starts: a record that holds, or an override in its place."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from voicefake.common.consent.record import Basis, ConsentRecord, Covers, load_consent
from voicefake.common.errors import Action, Option, Refused, Remedy, WrongUse


@dataclass(frozen=True)
class Override:
    """The user's word in place of a record; it is written wherever a record's hash would be.

    Attributes:
        reason: why the user says to have the rights.
    """

    reason: str

    basis: str = "override"
    licence: str = ""
    attribution: str = ""
    sha256: str = ""
    revocation_id: str = ""

    @property
    def override(self) -> str:
        """The reason given."""
        return self.reason

    def check(self, covers: Covers | str | None = None, today: datetime.date | None = None) -> None:
        """An override has neither scope nor end."""


Permission = ConsentRecord | Override


def require_consent(
    consent: Path | None,
    i_have_rights: str | None,
    covers: Covers | str,
    *,
    files: Sequence[Path] = (),
    statement: Path | None = None,
    today: datetime.date | None = None,
) -> Permission:
    """The permission to copy somebody's ``covers`` from ``files``.

    A person's own consent to copy the voice must come with the spoken statement, and its
    voice must be that of the files.

    Args:
        consent: the value of ``--consent``.
        i_have_rights: the value of ``--i-have-rights``.
        files: the recordings to train on; a record that lists files must list them all.
        statement: the recording of the spoken statement (default: beside the record).

    Raises:
        Refused: neither is given, the record does not hold, or it is another voice.
        BadInput: ``consent`` is no consent record.
        WrongUse: both are given.
    """
    if consent is not None and i_have_rights is not None:
        raise WrongUse(Option("i-have-rights"), "stands beside --consent", "give one of the two")
    if i_have_rights is not None:
        return _override(i_have_rights)
    if consent is None:
        raise Refused(
            f"copying a {covers}",
            "there is no consent record",
            Remedy(
                Action.GIVE_CONSENT,
                f"make one: voicefake consent new --covers {covers} ... -o consent.toml, let the "
                "person sign it (voicefake consent sign consent.toml), then add --consent "
                'consent.toml; or add --i-have-rights "REASON", which every output will show',
            ),
        )
    record = load_consent(consent)
    record.check(covers, today)
    record.check_files(files)
    if record.basis is Basis.PERSONAL and Covers(covers) is Covers.VOICE:
        # Here and not above: it loads torch, which the command line's help need not wait for.
        from voicefake.common.consent.statement import find_statement, require_same_voice

        require_same_voice(record, find_statement(record, consent, statement), files)
    return record


def _override(reason: str) -> Override:
    words = " ".join(reason.split())
    if len(words) < 3 or len(words) > 1000:
        raise Refused(Option("i-have-rights"), "gives no reason", "say in a sentence why you may")
    return Override(words)
