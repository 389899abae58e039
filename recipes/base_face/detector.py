"""Taking the two Apache-2.0 networks that find faces out of a mediapipe wheel.

The wheel is not needed at run time, only once to fill ``facesync/weights``:
``pip download mediapipe==0.10.21 --no-deps``.
"""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from facesync.detect import WEIGHTS
from voicefake.common.errors import BadInput
from voicefake.common.files import atomic_path, regular_file

FILES = {
    "mediapipe/modules/face_detection/face_detection_short_range.tflite": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    "mediapipe/modules/face_landmark/face_landmark.tflite": (
        "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814"
    ),
}
LICENCE = "mediapipe-0.10.21.dist-info/LICENSE"


def take_detector(wheel: Path, folder: Path = WEIGHTS) -> list[Path]:
    """Write both networks and their licence to ``folder``; returns the paths.

    Raises:
        BadInput: no wheel, or its files are not the ones this toolkit was measured with.
    """
    regular_file(wheel)
    written = []
    try:
        with zipfile.ZipFile(wheel) as packed:
            for name, wanted in FILES.items():
                content = packed.read(name)
                if hashlib.sha256(content).hexdigest() != wanted:
                    raise BadInput(wheel, f"holds another {name}", "use mediapipe 0.10.21")
                written.append(_write(folder / Path(name).name, content))
            written.append(_write(folder / "LICENSE.mediapipe", packed.read(LICENCE)))
    except (zipfile.BadZipFile, KeyError) as error:
        raise BadInput(wheel, "is not the wheel", "use mediapipe 0.10.21") from error
    return written


def _write(path: Path, content: bytes) -> Path:
    with atomic_path(path, force=True) as temporary:
        temporary.write_bytes(content)
    return path
