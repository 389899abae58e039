"""``voicefake doctor``."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import Any

from voicefake.common.commandline import JsonOption, QuietOption, print_json

_PACKAGES = (
    "torch", "torchaudio", "librosa", "soundfile", "soxr", "numpy", "opencv-python", "typer",
    "av", "onnxruntime", "swift-f0", "safetensors", "c2pa-python", "cryptography",
)  # fmt: skip
_OPTIONAL = {
    "tensorboard": "curves of a training (extra: train)",
    "gradio": "the web page (extra: web)",
    "sounddevice": "live conversion (extra: live)",
    "onnx": "networks for other programs (extra: export)",
}


def doctor(as_json: JsonOption = False, quiet: QuietOption = False) -> int:
    """Tell what is installed, which device computes, and what is missing."""
    report = examine()
    if as_json:
        print_json(report)
    elif not quiet:
        for name, value in report.items():
            if isinstance(value, dict):
                print(f"{name}:")
                for inner, item in value.items():
                    print(f"  {inner}: {item}")
            else:
                print(f"{name}: {value}")
    return 0 if not report["missing"] else 1


def examine() -> dict[str, Any]:
    """What :func:`doctor` prints: versions, devices, bundled profiles, where things lie."""
    from voicefake.common.devices import resolve_device
    from voicefake.common.places import data_folder
    from voicefake.speakers import speaker_store

    versions = {name: _version(name) for name in ("voicefake", *_PACKAGES)}
    missing = [name for name, found in versions.items() if found is None]
    missing += [f"{name}: {use}" for name, use in _OPTIONAL.items() if find_spec(name) is None]
    store = speaker_store()
    return {
        "python": platform.python_version(),
        "system": platform.platform(),
        "device": str(resolve_device()),
        "versions": versions,
        "speakers": [profile.name for profile in store.list()],
        "damaged": [str(error) for error in store.damaged()],
        "data folder": str(data_folder()),
        "optional, not installed": [m for m in missing if ":" in m],
        "missing": [m for m in missing if ":" not in m],
    }


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None
