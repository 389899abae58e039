"""``python -m recipes.base_face``: from ../shared/data to the bundled face weights."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from voicefake.common.commandline import QuietOption, console, run
from voicefake.common.progress import reporter

app = typer.Typer(
    help="How the bundled face weights were made, in this order: detector, template, prepare, "
    "train, occlusion, identities.",
    no_args_is_help=True,
    add_completion=False,
)

DataOption = Annotated[Path, typer.Option(help="The shared data folder.")]
FacesOption = Annotated[Path, typer.Option(help="Where the prepared faces lie.")]
_DATA = Path("../shared/data")
_FACES = Path(".train/face_data")
_WORK = Path(".train/face_base")


@app.command()
def detector(wheel: Annotated[Path, typer.Argument(help="mediapipe 0.10.21's wheel.")]) -> None:
    """Take the detector and the mesh network out of a mediapipe wheel."""
    from facesync.detect import WEIGHTS
    from recipes.base_face.detector import NETWORKS
    from recipes.wheels import take_networks

    for path in take_networks(wheel, NETWORKS, WEIGHTS):
        _say(f"wrote {path}")


@app.command()
def template(data: DataOption = _DATA) -> None:
    """Average the London faces' meshes to what crops are aligned to."""
    from recipes.base_face.sources import sources
    from recipes.base_face.template import write_template

    _say(f"the mean of {write_template(sources(data))} faces")


@app.command()
def prepare(
    data: DataOption = _DATA, faces: FacesOption = _FACES, quiet: QuietOption = False
) -> None:
    """Cut out all faces once, with their meshes."""
    from recipes.base_face.prepare import prepare as cut_out
    from recipes.base_face.sources import sources

    with reporter(quiet) as bars:
        _say(f"{len(cut_out(sources(data), faces, bars))} faces in {faces}")


@app.command()
def train(
    faces: FacesOption = _FACES,
    work: Annotated[Path, typer.Option(help="Checkpoints; the same folder goes on.")] = _WORK,
    steps: Annotated[int, typer.Option(help="At most.")] = 20_000,
    minutes: Annotated[float, typer.Option(help="At most; 0: no limit.")] = 0.0,
    quiet: QuietOption = False,
) -> None:
    """Pre-train on everybody; bundle the best averaged weights and the last adversary."""
    from facesync.dataset import load_faces
    from facesync.identities import BASE
    from facesync.models.discriminator import BUNDLED
    from recipes.base_face.adversary import write_adversary
    from recipes.base_face.train import base_config, numbers, train_base, write_base

    face_set = load_faces(faces)
    with reporter(quiet) as bars:
        network, result, task = train_base(face_set, work, base_config(steps, 60 * minutes), bars)
    write_base(network, result, numbers(face_set), BASE)
    _say(f"wrote {BASE}: held-out figure {result.state.best:.3f} at step {result.state.best_step}")
    _say(f"wrote {BUNDLED}: of held-out patches right: {write_adversary(task, network, BUNDLED)}")


@app.command()
def occlusion(
    faces: FacesOption = _FACES,
    work: Annotated[Path, typer.Option(help="Checkpoints.")] = Path(".train/occlusion"),
    count: Annotated[int, typer.Option(help="Faces to draw things before.")] = 5000,
    steps: Annotated[int, typer.Option(help="Of 24 faces.")] = 3000,
    quiet: QuietOption = False,
) -> None:
    """Train and bundle the network that finds what covers a face."""
    from facesync.dataset import load_faces
    from recipes.base_face.occlusion import train_occlusion

    with reporter(quiet) as bars:
        figures = train_occlusion(load_faces(faces), work, count=count, steps=steps, reporter=bars)
    _say(f"on held-out people: {figures}")


@app.command()
def identities(data: DataOption = _DATA) -> None:
    """Make the bundled faces that are nobody's."""
    from recipes.base_face.identities import write_identities
    from recipes.base_face.sources import sources

    _say(f"wrote {', '.join(write_identities(sources(data), data))}")


def _say(line: str) -> None:
    console.print(line, markup=False, highlight=False)


if __name__ == "__main__":
    run(app)
