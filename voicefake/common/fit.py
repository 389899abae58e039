"""The one training loop: voice and face, base and person, with or without an adversary.

A step's data depend on the seed and the step's number alone, so a run that was killed goes
on from its checkpoint to the same weights. What is kept is the exponential moving average
of the generator at the best held-out figure; the training loss decides nothing.
"""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from voicefake.common.errors import BadInput, Stopped
from voicefake.common.files import atomic_path
from voicefake.common.progress import Reporter, Silent

LAST = "last.safetensors"
HISTORY = "history.json"
"""One entry per look at the held-out part, for whoever draws the curves."""
_LOOKS = 10
_MOST_SKIPPED = 20
"""Steps in a row without finite gradients before a training gives up."""


@dataclass(frozen=True)
class FitConfig:
    """How to train.

    Attributes:
        steps: optimiser steps at most.
        seconds: wall-clock budget over all resumptions (0: none). The learning rate follows
            whichever of steps and seconds is further on.
        learning_rate: peak, after ``warmup_steps``; falls as a cosine to ``final_scale`` of it.
        adversary_rate: learning rate of the discriminator.
        ema_decay: of the generator's moving average.
        evaluate_every: steps between looks at the held-out part; where ``seconds`` are given,
            there are at least ten looks in all, however slow the machine.
        patience: looks without a better figure before stopping (0: never stop early).
        checkpoint_seconds: between checkpoints.
        bfloat16: compute the losses under autocast.
        keep_last: keep the last weights, for adversarial trainings whose held-out distance
            turns worse as the result sounds better, and judge them afterwards.
    """

    steps: int
    seconds: float = 0.0
    learning_rate: float = 5e-4
    adversary_rate: float = 5e-4
    betas: tuple[float, float] = (0.8, 0.99)
    weight_decay: float = 1e-3
    warmup_steps: int = 50
    final_scale: float = 0.05
    grad_clip: float = 5.0
    ema_decay: float = 0.999
    evaluate_every: int = 250
    patience: int = 0
    checkpoint_seconds: float = 180.0
    bfloat16: bool = False
    keep_last: bool = False
    seed: int = 0


@dataclass(frozen=True)
class Losses:
    """One step's outcome.

    Attributes:
        generator: scalar to minimise over the generator.
        adversary: scalar to minimise over the discriminator, from detached outputs.
        parts: named values to show.
    """

    generator: Tensor
    adversary: Tensor | None = None
    parts: Mapping[str, float | Tensor] = field(default_factory=dict)


class Task(Protocol):
    """What is trained. ``adversary`` is ``None`` where there is no discriminator."""

    generator: nn.Module
    adversary: nn.Module | None

    def losses(self, step: int, progress: float, random: torch.Generator) -> Losses:
        """Losses of one batch, drawn with ``random``; ``progress`` runs from 0 to 1."""

    def held_out(self, generator: nn.Module) -> dict[str, float]:
        """Figures on the held-out part; the first one chooses, lower is better."""


@dataclass
class FitState:
    """Where a training stands; ``history`` has one entry per look at the held-out part."""

    step: int = 0
    seconds: float = 0.0
    best: float = math.inf
    best_step: int = -1
    stale: int = 0
    history: list[dict[str, float]] = field(default_factory=list)


@dataclass(frozen=True)
class FitResult:
    """The best weights (EMA of the generator) and how they came about."""

    tensors: dict[str, Tensor]
    state: FitState


def fit(
    task: Task,
    config: FitConfig,
    folder: Path,
    *,
    device: torch.device | str = "cpu",
    reporter: Reporter | None = None,
    on_look: Callable[[nn.Module, FitState], None] | None = None,
) -> FitResult:
    """Train ``task`` in ``folder``, going on from the checkpoint that lies there.

    ``on_look`` is called with the averaged generator after each look at the held-out part,
    to write samples and previews. TensorBoard events go to ``folder`` where it is installed.
    """
    run = _Run(task, config, folder, torch.device(device))
    run.resume()
    bar = (reporter or Silent()).stage("training", config.steps)
    bar.advance(config.steps * run.progress())
    try:
        while not run.finished():
            before = run.progress()
            run.step()
            bar.advance(config.steps * (run.progress() - before), run.note())
            if run.look_due(before):
                run.look()
                bar.advance(0, run.note())
                if on_look:
                    on_look(run.averaged, run.state)
            if run.checkpoint_due():
                run.save()
    except Stopped:  # by whoever listens, between two steps
        run.save()
        raise
    run.save()
    kept = _cpu(run.averaged.state_dict()) if config.keep_last else run.best
    return FitResult(kept, run.state)


class _Run:
    def __init__(self, task: Task, config: FitConfig, folder: Path, device: torch.device) -> None:
        self.task, self.config, self.folder, self.device = task, config, folder, device
        self.state = FitState()
        folder.mkdir(parents=True, exist_ok=True)
        task.generator.to(device)
        self.averaged = _copy_of(task.generator)
        self.best = _cpu(self.averaged.state_dict())
        self.optimizer = self._optimizer(task.generator, config.learning_rate)
        self.opponent = None
        if task.adversary is not None:
            task.adversary.to(device)
            self.opponent = self._optimizer(task.adversary, config.adversary_rate)
        self.board = _board(folder)
        self.skipped = 0
        self.loss = math.nan
        self._saved_at = self._ticked_at = time.monotonic()

    def _optimizer(self, network: nn.Module, rate: float) -> torch.optim.AdamW:
        c = self.config
        trained = [p for p in network.parameters() if p.requires_grad]
        return torch.optim.AdamW(trained, lr=rate, betas=c.betas, weight_decay=c.weight_decay)

    def progress(self) -> float:
        c, s = self.config, self.state
        spent = s.seconds / c.seconds if c.seconds else 0.0
        return min(1.0, max(s.step / c.steps, spent))

    def finished(self) -> bool:
        c = self.config
        return self.progress() >= 1.0 or bool(c.patience and self.state.stale >= c.patience)

    def look_due(self, before: float) -> bool:
        """After a step that began at the progress ``before``."""
        c = self.config
        if self.state.step % c.evaluate_every == 0 or self.finished():
            return True
        return bool(c.seconds) and int(_LOOKS * before) < int(_LOOKS * self.progress())

    def step(self) -> None:
        c, s = self.config, self.state
        random = torch.Generator().manual_seed(c.seed * 1_000_003 + s.step)
        torch.manual_seed(c.seed * 1_000_003 + s.step)
        self.task.generator.train()
        with torch.autocast(self.device.type, torch.bfloat16, enabled=c.bfloat16):
            losses = self.task.losses(s.step, self.progress(), random)
        scale = self._rate_scale()
        self._descend(self.optimizer, losses.generator, c.learning_rate * scale)
        if self.opponent is not None and losses.adversary is not None:
            self._descend(self.opponent, losses.adversary, c.adversary_rate * scale)
        self._average()
        s.step += 1
        now = time.monotonic()
        s.seconds += now - self._ticked_at
        self._ticked_at = now
        if s.step % 20 == 0:
            self.loss = losses.generator.item()
        if self.board and s.step % 20 == 0:
            for name, value in {"loss": losses.generator, **losses.parts}.items():
                number = value.item() if isinstance(value, Tensor) else value
                self.board.add_scalar(f"train/{name}", number, s.step)

    def _rate_scale(self) -> float:
        c = self.config
        warm = min(1.0, (self.state.step + 1) / max(1, c.warmup_steps))
        cosine = 0.5 * (1 + math.cos(math.pi * self.progress()))
        return warm * (c.final_scale + (1 - c.final_scale) * cosine)

    def _descend(self, optimizer: torch.optim.Optimizer, loss: Tensor, rate: float) -> None:
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = rate
        parameters = optimizer.param_groups[0]["params"]
        norm = nn.utils.clip_grad_norm_(parameters, self.config.grad_clip)
        if torch.isfinite(norm):
            optimizer.step()
            self.skipped = 0
            return
        self.skipped += 1
        if self.skipped >= _MOST_SKIPPED:
            raise BadInput(
                self.folder, "the gradients are not finite", "check the data or lower the rate"
            )

    @torch.no_grad()
    def _average(self) -> None:
        decay = min(self.config.ema_decay, (1 + self.state.step) / (10 + self.state.step))
        live = self.task.generator.state_dict()
        for name, value in self.averaged.state_dict().items():
            if value.is_floating_point():
                value.lerp_(live[name], 1 - decay)
            else:
                value.copy_(live[name])

    def note(self) -> str:
        """What the terminal shows: the training loss, the held-out figures, the best so far."""
        s = self.state
        told = [f"loss {self.loss:.3g}"] if math.isfinite(self.loss) else []
        if s.history:
            figures = [f"{k} {v:.4g}" for k, v in s.history[-1].items()][2:5]
            told.append(f"held out: {' '.join(figures)} (best {s.best:.4g} at {s.best_step})")
        return ", ".join(told)

    def look(self) -> None:
        s = self.state
        self.averaged.eval()
        with torch.no_grad():
            figures = self.task.held_out(self.averaged)
        figure = next(iter(figures.values()))
        s.history.append({"step": s.step, "seconds": round(s.seconds, 1), **figures})
        s.stale += 1
        if figure < s.best:
            s.best, s.best_step, s.stale = figure, s.step, 0
            self.best = _cpu(self.averaged.state_dict())
        with atomic_path(self.folder / HISTORY, force=True) as temporary:
            temporary.write_text(json.dumps(s.history), encoding="utf-8")
        if self.board:
            for name, value in figures.items():
                self.board.add_scalar(f"held-out/{name}", value, s.step)
            self.board.flush()

    def checkpoint_due(self) -> bool:
        return time.monotonic() - self._saved_at > self.config.checkpoint_seconds

    def save(self) -> None:
        tensors = _prefixed("generator", self.task.generator.state_dict())
        tensors |= _prefixed("averaged", self.averaged.state_dict())
        tensors |= _prefixed("best", self.best)
        tensors |= _prefixed("optimizer", _optimizer_tensors(self.optimizer))
        if self.task.adversary is not None and self.opponent is not None:
            tensors |= _prefixed("adversary", self.task.adversary.state_dict())
            tensors |= _prefixed("opponent", _optimizer_tensors(self.opponent))
        with atomic_path(self.folder / LAST, force=True) as temporary:
            save_file(_cpu(tensors), temporary, metadata={"state": json.dumps(asdict(self.state))})
        self._saved_at = time.monotonic()

    def resume(self) -> None:
        path = self.folder / LAST
        if not path.exists():
            return
        try:
            with safe_open(path, framework="pt") as file:
                state = FitState(**json.loads(file.metadata()["state"]))
                tensors = {name: file.get_tensor(name) for name in list(file.keys())}
        except (SafetensorError, KeyError, TypeError, ValueError, OSError):
            return  # a foreign or damaged checkpoint: begin anew rather than fail
        self.task.generator.load_state_dict(_under("generator", tensors))
        self.averaged.load_state_dict(_under("averaged", tensors))
        self.best = _under("best", tensors)
        _restore_optimizer(self.optimizer, _under("optimizer", tensors))
        if self.task.adversary is not None and self.opponent is not None:
            self.task.adversary.load_state_dict(_under("adversary", tensors))
            _restore_optimizer(self.opponent, _under("opponent", tensors))
        self.state = state


def checkpoint_part(folder: Path, part: str) -> dict[str, Tensor]:
    """Tensors of one ``part`` of a training's last checkpoint, for another to go on from.

    Args:
        part: ``generator``, ``averaged``, ``best`` or ``adversary``.

    Raises:
        BadInput: there is no such training in the folder.
    """
    try:
        tensors = _under(part, load_file(folder / LAST))
    except (SafetensorError, OSError):
        tensors = {}
    if not tensors:
        raise BadInput(folder, f"holds no training with the part {part!r}", "name its --state")
    return tensors


def _copy_of(network: nn.Module) -> nn.Module:
    return copy.deepcopy(network).requires_grad_(False).eval()


def _cpu(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: t.detach().cpu().clone().contiguous() for name, t in tensors.items()}


def _prefixed(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {f"{prefix}/{name}": tensor for name, tensor in tensors.items()}


def _under(prefix: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    start = len(prefix) + 1
    return {n[start:]: t for n, t in tensors.items() if n.startswith(f"{prefix}/")}


def _optimizer_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    state = optimizer.state_dict()["state"]
    return {
        f"{index}.{name}": torch.as_tensor(value)
        for index, slots in state.items()
        for name, value in slots.items()
    }


def _restore_optimizer(optimizer: torch.optim.Optimizer, tensors: Mapping[str, Tensor]) -> None:
    state: dict[int, dict[str, Tensor]] = {}
    for key, value in tensors.items():
        index, name = key.split(".", 1)
        state.setdefault(int(index), {})[name] = value
    groups = optimizer.state_dict()["param_groups"]
    optimizer.load_state_dict({"state": state, "param_groups": groups})


def _board(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        return None
    return SummaryWriter(str(folder))
