"""``python -m voicefake.common.marks.signing_process``: sign one file, described on stdin."""

from __future__ import annotations

import json
import sys

from voicefake.common.errors import VoicefakeError
from voicefake.common.marks.credentials import Job, SigningFailed, sign

MEMORY_BYTES = 3 * 2**30


def main() -> int:
    """Read a job, sign, and say on stderr why it did not work."""
    _limit_memory()
    try:
        sign(Job(**json.load(sys.stdin)))
    except (SigningFailed, VoicefakeError, OSError, MemoryError) as error:
        print(str(error) or "out of memory", file=sys.stderr)
        return 1
    return 0


def _limit_memory() -> None:
    try:
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    except (ImportError, OSError, ValueError):
        return  # not every system can; the file's size is limited in any case


if __name__ == "__main__":
    sys.exit(main())
