"""Phones of every frame of the corpus, without a hand-made alignment.

    python -m recipes.base_voice.phones --corpus DIR

Transcripts become phones by espeak-ng. A small classifier on the teacher's features and the
mel starts from evenly spread phones and is fitted and realigned in turn (embedded Viterbi
training). Recordings without a transcript get the classifier's own posteriors. Written:
``phones.npy`` (frames, phones) float16 posteriors, one-hot where aligned.
"""

from __future__ import annotations

import json
import re
import subprocess
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import torchaudio
import typer
from torch import Tensor, nn

SILENCE = "_"
_ROUNDS = 6
_RARE = 120
_VOICES = {"en": "en-us", "de": "de"}


def phones_of(text: str, language: str) -> list[str]:
    """IPA phones of ``text`` by espeak-ng, without stress and length."""
    command = ["espeak-ng", "-q", "--ipa=3", "--sep=_", "-v", _VOICES[language], "--", text]
    spoken = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    spoken = re.sub(r"\([a-z-]+\)", "", spoken)  # marks of a language switch
    spoken = re.sub(r"[ˈˌː\s\u0303\u0329\u032f\u02b2]|(?<!\w)_|_(?!\w)", "", spoken)
    return [token.replace("_", "") for token in re.findall(r"\w(?:_\w)*", spoken)]


def grid_text(text: str) -> str:
    """GRID's letter "a" is the letter, not the article."""
    return re.sub(r"\ba\b", "ay", text)


class _Classifier(nn.Sequential):
    def __init__(self, inputs: int, phones: int) -> None:
        super().__init__(nn.Linear(inputs, 256), nn.GELU(), nn.Dropout(0.1), nn.Linear(256, phones))


def _inputs(teacher: Tensor, mel: Tensor) -> Tensor:
    """Teacher and mel with its neighbours 3 frames away, standardised, (T, C)."""
    mel = mel.reshape(50, 2, -1).mean(1).T
    near = torch.cat([mel, mel.roll(3, 0), mel.roll(-3, 0)], 1)
    near = (near - near.mean(0)) / 2.0
    return torch.cat([teacher / teacher.std(), near], 1)


def _flat_start(mel: Tensor, count: int) -> Tensor:
    """Frame labels (T,) as positions 1..count spread evenly over the frames with sound, else 0."""
    energy = mel.mean(0)
    low, high = energy.quantile(0.05), energy.quantile(0.95)
    active = energy > low + 0.3 * (high - low)
    order = active.cumsum(0).float() / active.sum()
    return torch.where(active, (order * count).ceil().clamp(1, count).long(), 0)


def _fit(network: nn.Module, x: Tensor, y: Tensor, steps: int) -> None:
    optimizer = torch.optim.AdamW(network.parameters(), lr=2e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 3e-3, total_steps=steps)
    network.train()
    for _ in range(steps):
        pick = torch.randint(len(x), (2048,))
        loss = nn.functional.cross_entropy(network(x[pick].float()), y[pick], label_smoothing=0.05)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    network.eval()


def align(
    corpus: Annotated[Path, typer.Option(help="What recipes.base_voice.corpus wrote.")],
) -> None:
    """Write ``phones.npy`` and ``phones.json`` beside the corpus's arrays."""
    torch.manual_seed(0)
    index: list[dict[str, Any]] = json.loads((corpus / "index.json").read_text())
    mels = np.load(corpus / "mels.npy", mmap_mode="r")[0]
    teacher = np.load(corpus / "heard.npy", mmap_mode="r")[0]

    def inputs(entry: dict[str, Any]) -> Tensor:
        span = slice(entry["first_frame"], entry["first_frame"] + entry["frames"])
        mel = torch.from_numpy(mels[:, span].astype(np.float32))
        return _inputs(torch.from_numpy(teacher[:, span].T.astype(np.float32)), mel).half()

    # emodb's clips are cut at two seconds while their text goes on: not alignable
    spoken = [e for e in index if e["text"] and e["dataset"] != "emodb"]
    sequences = [
        phones_of(
            grid_text(e["text"]) if e["dataset"] == "grid_s1_audio" else e["text"], e["language"]
        )
        for e in spoken
    ]
    counts = Counter(p for s in sequences for p in s)
    symbols = [SILENCE] + sorted(p for p, n in counts.items() if n >= _RARE)
    number = {p: i for i, p in enumerate(symbols)}
    targets = [torch.tensor([number[p] for p in s if p in number]) for s in sequences]
    print(len(symbols), "phones:", " ".join(symbols), flush=True)

    x = [inputs(e) for e in spoken]
    labels = []
    for entry, target in zip(spoken, targets, strict=True):
        span = slice(entry["first_frame"], entry["first_frame"] + entry["frames"])
        flat = _flat_start(torch.from_numpy(mels[:, span].astype(np.float32)), len(target))
        labels.append(torch.cat([torch.zeros(1, dtype=torch.long), target])[flat])
    network = _Classifier(x[0].shape[1], len(symbols))
    joined = torch.cat(x)
    for round_ in range(_ROUNDS):
        _fit(network, joined, torch.cat(labels), 300 if round_ < _ROUNDS - 1 else 900)
        changed = 0.0
        score = 0.0
        for i, target in enumerate(targets):
            with torch.inference_mode():
                logits = network(x[i].float()).log_softmax(-1)
            path, scores = torchaudio.functional.forced_align(logits[None], target[None].int())
            changed += float((path[0] != labels[i]).float().mean()) / len(targets)
            score += float(scores.mean()) / len(targets)
            labels[i] = path[0].long()
        print(f"round {round_}: {changed:.3f} of the frames changed, score {score:.3f}", flush=True)

    total = max(e["first_frame"] + e["frames"] for e in index)
    posteriors = np.zeros((total, len(symbols)), np.float16)
    aligned = {e["path"]: y for e, y in zip(spoken, labels, strict=True)}
    for entry in index:
        with torch.inference_mode():
            soft = network(inputs(entry).float()).softmax(-1)
        if entry["path"] in aligned:
            soft = 0.1 * soft + 0.9 * nn.functional.one_hot(aligned[entry["path"]], len(symbols))
        span = slice(entry["first_frame"], entry["first_frame"] + entry["frames"])
        posteriors[span] = soft.numpy().astype(np.float16)
    np.save(corpus / "phones.npy", posteriors)
    (corpus / "phones.json").write_text(json.dumps(symbols, ensure_ascii=False))


if __name__ == "__main__":
    typer.run(align)
