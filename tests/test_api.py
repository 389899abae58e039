"""The public names: all there, quick to import, and typed."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

PROMISED = {
    "voicefake": {
        "BadInput", "ConvertOptions", "Reference", "Refused", "Stopped", "TrainOptions",
        "VoicefakeError", "WrongUse", "convert_file", "require_consent", "resynth_file",
        "speaker_store", "train_speaker", "verify",
    },
    "facesync": {
        "SwapOptions", "TrainOptions", "identity_store", "swap_picture", "swap_video",
        "train_identity",
    },
    "recipes": {"run_recipe"},
}  # fmt: skip


@pytest.mark.parametrize("package", PROMISED)
def test_the_promised_names_are_there_and_no_others(package):
    module = importlib.import_module(package)
    assert set(module.__all__) == PROMISED[package] == set(dir(module))
    for name in module.__all__:
        found = getattr(module, name)
        assert found.__doc__, name
        assert found.__module__.split(".")[0] in PROMISED, name
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = module.nonsense


@pytest.mark.parametrize("package", PROMISED)
def test_a_package_says_that_it_is_typed(root, package):
    assert (root / package / "py.typed").is_file()


def test_importing_is_quick():
    script = (
        "import sys, voicefake, facesync, recipes\n"
        "from voicefake import ConvertOptions, BadInput\n"
        "heavy = {'torch', 'librosa', 'cv2', 'av', 'onnxruntime', 'pydantic'} & set(sys.modules)\n"
        "assert not heavy, heavy"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
