"""Universal pre-training: one encoder and one decoder for all talkers and London people."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from facesync.dataset import FaceSet
from facesync.models.network import FaceNetwork, NetworkConfig, save_network
from facesync.training.pairs import Pairs
from facesync.training.preview import write_sheet
from facesync.training.task import FaceTask
from voicefake.common.devices import Device, has_fast_bfloat16, resolve_device
from voicefake.common.fit import FitConfig, FitResult, FitState, fit
from voicefake.common.progress import Reporter

SHARES = {"s1": 0.15, "s26": 0.14, "s31": 0.14, "s4": 0.07, "s5": 0.07}  # the rest is London
WATCHED = 40


def base_config(steps: int, seconds: float) -> FitConfig:
    """How the bundled base was trained."""
    return FitConfig(
        steps=steps, seconds=seconds, learning_rate=4e-4, adversary_rate=5e-4, betas=(0.8, 0.99),
        weight_decay=1e-4, warmup_steps=50, final_scale=0.05, grad_clip=5.0, ema_decay=0.998,
        evaluate_every=250, checkpoint_seconds=180,
        bfloat16=has_fast_bfloat16(resolve_device(Device.AUTO)), seed=1,
    )  # fmt: skip


def numbers(faces: FaceSet) -> dict[str, int]:
    """The identity vector of every person who is trained on; 0 stays nobody's."""
    trained = sorted({row.person for row in faces.rows if not row.held_out})
    return {person: index + 1 for index, person in enumerate(trained)}


def train_base(
    faces: FaceSet,
    folder: Path,
    config: FitConfig,
    reporter: Reporter,
    network_config: NetworkConfig | None = None,
) -> tuple[FaceNetwork, FitResult, FaceTask]:
    """Train in ``folder`` (resumable), writing a preview sheet at each look.

    The task's adversary is as the last step left it.
    """
    torch.manual_seed(config.seed)
    named = numbers(faces)
    network = FaceNetwork(network_config or NetworkConfig(people=len(named) + 1))
    held_out = np.array([row.held_out for row in faces.rows])
    pairs = Pairs(faces, named, donors=np.flatnonzero(~held_out))
    task = FaceTask(network, pairs, _chooser(faces), _watched(faces))

    def on_look(averaged: nn.Module, state: FitState) -> None:
        for name, batches in task.watched_batches().items():
            write_sheet(str(folder / f"{name}.jpg"), averaged, batches[::2], columns=20)

    result = fit(task, config, folder, reporter=reporter, on_look=on_look)
    return network, result, task


def write_base(network: FaceNetwork, result: FitResult, named: dict[str, int], path: Path) -> None:
    """Write the best averaged weights as the bundled base."""
    network.load_state_dict(result.tensors)
    save_network(path, network, {
        "licence": "CC-BY-4.0",
        "attribution": "trained on the GRID corpus (Cooke et al. 2006) and the Face Research Lab"
        " London Set (DeBruine & Jones 2017), both CC BY 4.0",
        "people": named,
        "training": {
            "steps": result.state.step,
            "seconds": round(result.state.seconds),
            "best_step": result.state.best_step,
            "held_out": result.state.history[-1] if result.state.history else {},
        },
    })  # fmt: skip


def _chooser(faces: FaceSet):  # type: ignore[no-untyped-def]
    pools: list[tuple[float, NDArray[np.intp]]] = []
    people = np.array([row.person for row in faces.rows])
    free = ~np.array([row.held_out for row in faces.rows])
    for person, share in SHARES.items():
        pools.append((share, np.flatnonzero((people == person) & free)))
    stills = np.array([row.expression != "speech" for row in faces.rows])
    pools.append((1 - sum(SHARES.values()), np.flatnonzero(stills & free)))
    pools = [(share, pool) for share, pool in pools if len(pool)]
    chances = np.array([share for share, _ in pools])
    chances = chances / chances.sum()

    def choose(random: np.random.Generator, count: int) -> NDArray[np.intp]:
        picked = random.choice(len(pools), count, p=chances)
        return np.array([random.choice(pools[i][1]) for i in picked])

    return choose


def _watched(faces: FaceSet) -> NDArray[np.intp]:
    held_out = np.flatnonzero([row.held_out for row in faces.rows])
    talkers = [i for i in held_out if faces.rows[i].person in ("s26", "s31")]
    s1 = [i for i in held_out if faces.rows[i].person == "s1"]
    stills = [i for i in held_out if faces.rows[i].expression != "speech"]
    picked = [
        pool[round(k * (len(pool) - 1) / max(1, count - 1))]
        for pool, count in ((talkers, 20), (s1, 8), (stills, 12))
        for k in range(count if pool else 0)
    ]
    return np.array(picked[:WATCHED])
