"""The bundled identities: composites with the consent record that their licence gives."""

from __future__ import annotations

import datetime
import tempfile
from pathlib import Path

import torch
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from facesync.identities import BASE, FILE, PREVIEW, Identity, write_identity
from facesync.models.network import load_network
from facesync.store import BUNDLED
from recipes.base_face.composites import MIXES, Composite, compose
from recipes.base_face.sources import Source
from voicefake.common.consent import Basis, ConsentRecord, Covers
from voicefake.common.media import write_image
from voicefake.common.profiles import Kind, ProfileStore

ATTRIBUTION = (
    "composite of pictures from the Face Research Lab London Set (DeBruine & Jones 2017, "
    "doi:10.6084/m9.figshare.5047666.v5), CC BY 4.0; altered"
)


def consent_of(composite: Composite) -> ConsentRecord:
    """A record for a person who does not exist, signed with a key that is thrown away."""
    record = ConsentRecord(
        subject=f"{composite.name}, a face averaged from {len(composite.people)} people",
        operator="anyone who uses voicefake",
        covers=(Covers.FACE,),
        purposes=("demonstration", "tests", "anything that does no harm"),
        issued=datetime.date(2026, 1, 1),
        revocation_id=f"voicefake-face-{composite.name}",
        basis=Basis.SYNTHETIC,
        dataset="Face Research Lab London Set",
        licence="CC-BY-4.0",
        attribution=ATTRIBUTION,
    )
    return record.signed_by(Ed25519PrivateKey.generate())


def write_identities(
    sources: list[Source], data: Path, *, base: Path = BASE, folder: Path = BUNDLED
) -> list[str]:
    """Make every composite anew and write it into ``folder``; returns their names."""
    network, details = load_network(base)
    numbers: dict[str, int] = details["people"]
    store = ProfileStore(Kind.IDENTITY, user=folder)
    for mix in MIXES:
        composite = compose(mix, sources, data / "faces/london/london_info.csv")
        rows = [numbers[f"london{person}"] for person in composite.people]
        vector = network.identities.weight[torch.tensor(rows)].mean(0, keepdim=True).detach()
        identity = Identity(network, vector, composite.neutral, composite.references)
        with tempfile.TemporaryDirectory() as name:
            file, preview = Path(name) / FILE, Path(name) / PREVIEW
            told = {"licence": "CC-BY-4.0", "attribution": ATTRIBUTION}
            write_identity(file, identity, own_network=False, details=told)
            write_image(preview, composite.references[0].crop)
            store.create(
                mix.name,
                {FILE: file, PREVIEW: preview},
                consent_of(composite),
                {"people": len(composite.people), "pictures": 2 * len(composite.people)},
                force=True,
            )
    return [mix.name for mix in MIXES]
