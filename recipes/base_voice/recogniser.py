"""The recogniser whose features stand beside the encoder's latent, out of its wheel.

pip download moonshine-voice==0.0.49 --no-deps
python -m recipes.base_voice.recogniser moonshine_voice-0.0.49-*.whl
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from recipes.wheels import Networks, take_networks
from voicefake.networks import WEIGHTS

NETWORKS = Networks(
    "moonshine-voice==0.0.49",
    {
        "moonshine_voice/assets/tiny-en/encoder_model.ort": (
            "recogniser.ort",
            "94e90a4654fc45cdfedb77c4c08e1739f48862998e58fada384b25118134f221",
        ),
    },
    ("moonshine_voice-0.0.49.dist-info/licenses/LICENSE", "LICENSE.moonshine"),
)


def recogniser(
    wheel: Annotated[Path, typer.Argument(help="The wheel of moonshine-voice 0.0.49.")],
) -> None:
    """Write the recogniser and its licence into the package."""
    for path in take_networks(wheel, NETWORKS, WEIGHTS):
        print(path)


if __name__ == "__main__":
    typer.run(recogniser)
