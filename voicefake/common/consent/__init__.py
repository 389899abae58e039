"""Who may be copied, by whom, for what, until when: records, keys, checks."""

from voicefake.common.consent.draft import draft_consent, file_hashes
from voicefake.common.consent.permission import Override, Permission, require_consent
from voicefake.common.consent.record import (
    Basis,
    ConsentRecord,
    ConsentState,
    Covers,
    FileHash,
    load_consent,
    parse_consent,
    write_consent,
)
from voicefake.common.consent.revocation import revoke, revoked_ids
from voicefake.common.consent.signing import default_key_path, load_or_create_key

__all__ = [
    "Basis",
    "ConsentRecord",
    "ConsentState",
    "Covers",
    "FileHash",
    "Override",
    "Permission",
    "default_key_path",
    "draft_consent",
    "file_hashes",
    "load_consent",
    "load_or_create_key",
    "parse_consent",
    "require_consent",
    "revoke",
    "revoked_ids",
    "write_consent",
]
