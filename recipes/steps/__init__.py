"""The kinds of steps: each joins the engine to one public function of the toolkit."""

from __future__ import annotations

from recipes.engine import Kinds
from recipes.steps.faces import Face, Picture
from recipes.steps.reports import Report
from recipes.steps.sounds import Clean, Mix, Sound, Voice
from recipes.steps.trainings import TrainFace, TrainVoice

KINDS: Kinds = {
    "voice": Voice(),
    "face": Face(),
    "picture": Picture(),
    "sound": Sound(),
    "clean": Clean(),
    "mix": Mix(),
    "train-voice": TrainVoice(),
    "train-face": TrainFace(),
    "report": Report(),
}
