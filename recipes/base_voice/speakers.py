"""The bundled speakers: volunteers whose recordings are free, and a voice that is nobody's.

    python -m recipes.base_voice.speakers --data ../shared/data --state DIR [--only NAME]

Every tenth recording of each volunteer is left out, as in the base's training.
"""

from __future__ import annotations

import csv
import datetime
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import torch
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from recipes.base_voice.corpus import is_held_out
from voicefake.common.consent import Basis, ConsentRecord, Covers, write_consent
from voicefake.common.profiles import Kind, ProfileStore
from voicefake.common.progress import Silent, reporter
from voicefake.models.decoder import PersonDecoder
from voicefake.networks import WEIGHTS, load_decoder
from voicefake.train import TrainOptions, train_speaker
from voicefake.training.speaker import Ears, log_f0_of, read_takes, vector_of
from voicefake.voices import SPEAKER_FILE, save_voice

FOLDER = WEIGHTS / "speakers"
MIXTURE = "nobody-m"
_MIXED = 24


@dataclass(frozen=True)
class Volunteer:
    """Somebody who gave their recordings away."""

    name: str
    dataset: str
    licence: str
    attribution: str


VOLUNTEERS = (
    Volunteer(
        "kathleen", "rhasspy dataset-voice-kathleen", "CC0-1.0",
        "kathleen, a volunteer who read the CMU ARCTIC prompts (rhasspy/dataset-voice-kathleen)",
    ),
    Volunteer(
        "kerstin", "rhasspy dataset-voice-kerstin", "CC0-1.0",
        "kerstin, a German volunteer (rhasspy/dataset-voice-kerstin)",
    ),
    Volunteer(
        "ljspeech", "LJ Speech 1.1", "public domain",
        "Linda Johnson, LibriVox reader (The LJ Speech Dataset, keithito.com)",
    ),
)  # fmt: skip


def record_of(
    subject: str, basis: Basis, dataset: str, licence: str, attribution: str
) -> ConsentRecord:
    """A record for a bundled speaker, signed with a key that is thrown away."""
    record = ConsentRecord(
        subject=subject,
        operator="anyone who uses voicefake",
        covers=(Covers.VOICE,),
        purposes=("demonstration", "tests", "dubbing", "research"),
        issued=datetime.date(2026, 1, 1),
        revocation_id=f"voicefake-voice-{subject.split(',')[0].replace(' ', '-')}",
        basis=basis,
        dataset=dataset,
        licence=licence,
        attribution=attribution,
    )
    return record.signed_by(Ed25519PrivateKey.generate())


def recordings(data: Path, speakers: Sequence[str] | None, sex: str = "") -> list[Path]:
    """Recordings to train on, of ``speakers`` or of LibriSpeech readers of one sex."""
    counts: dict[str, int] = {}
    chosen = []
    with (data / "speech.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            name = row["speaker"]
            counts[name] = counts.get(name, -1) + 1
            wanted = (
                name in speakers
                if speakers is not None
                else row["dataset"] == "librispeech_train-clean-100" and row["sex"] == sex
            )
            if wanted and not is_held_out(row, counts[name]):
                chosen.append(data / row["path"])
    return chosen


def train_volunteer(person: Volunteer, data: Path, state: Path, minutes: float) -> None:
    """Train one volunteer's tail into the package."""
    record = record_of(
        person.name, Basis.LICENSED_DATASET, person.dataset, person.licence, person.attribution
    )
    with tempfile.TemporaryDirectory() as folder, reporter(quiet=False) as listener:
        consent = Path(folder) / "consent.toml"
        write_consent(consent, record)
        report = train_speaker(
            person.name,
            recordings(data, [person.name]),
            consent=consent,
            options=TrainOptions(minutes=minutes, patience=12),
            store=ProfileStore(Kind.SPEAKER, user=FOLDER),
            state=state / person.name,
            reporter=listener,
            force=True,
        )
    print(report, flush=True)


def mix_voice(data: Path) -> None:
    """A male voice that is nobody's: the base tail at the mean vector of many readers."""
    decoder = load_decoder()
    files = recordings(data, None, sex="M")[:_MIXED]
    takes, _ = read_takes(files, Ears.load(), 0, Silent())
    person = PersonDecoder(decoder, vector_of(decoder.reference, takes))
    record = record_of(
        f"{MIXTURE}, a voice mixed from {len(files)} readers", Basis.SYNTHETIC, "LibriSpeech",
        "CC-BY-4.0", "LibriSpeech (Panayotov et al., 2015), LibriVox volunteers; mixed",
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / SPEAKER_FILE
        _, spread = log_f0_of(takes)
        middle = float(torch.tensor(115.0).log())
        # the readers' own spread holds their differences too: one person's is narrower
        save_voice(
            path, decoder.config, dict(person.state_dict()), (middle, min(spread, 0.18)),
            {"mixed from": len(files)},
        )  # fmt: skip
        store = ProfileStore(Kind.SPEAKER, user=FOLDER)
        store.create(MIXTURE, {SPEAKER_FILE: path}, record, {"people": len(files)}, force=True)


def speakers(
    data: Annotated[Path, typer.Option(help="The folder that holds speech.csv.")],
    state: Annotated[Path, typer.Option(help="Where checkpoints lie.")],
    only: Annotated[str, typer.Option(help="One speaker's name.")] = "",
    minutes: Annotated[float, typer.Option(help="Of training for each.")] = 8.0,
    threads: Annotated[int, typer.Option(help="CPU threads.")] = 1,
) -> None:
    """Make the bundled speakers anew."""
    torch.set_num_threads(threads)
    if only in ("", MIXTURE):
        mix_voice(data)
    for person in VOLUNTEERS:
        if only in ("", person.name):
            train_volunteer(person, data, state, minutes)


if __name__ == "__main__":
    typer.run(speakers)
