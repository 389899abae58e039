"""Figures of a converted and of a copied voice; `VOICE` and `COPY` say what each means."""

from __future__ import annotations

import numpy as np

from recipes.evaluate import prosody, quality, speakers
from recipes.evaluate.figures import Figures
from recipes.evaluate.jury import Take, Target
from recipes.evaluate.media import Sound


def judge_conversion(source: Take, converted: Take, target: Target | None) -> Figures:
    """All figures of one converted recording.

    Args:
        target: without one, nothing is said of whose voice it is and of the melody's range.
    """
    row: Figures = {}
    if target is not None:
        row |= _identity(source, converted, target)
    row |= {f"src_{name}": value for name, value in source.heard.items()} | converted.heard
    row |= {"src_dnsmos": source.dnsmos, "dnsmos": converted.dnsmos}
    if target is not None:
        row["target_dnsmos"] = target.dnsmos
        row["dnsmos_drop"] = min(source.dnsmos, target.dnsmos) - converted.dnsmos
    row |= prosody.pitch_figures(source.pitch, converted.pitch, target.pitch if target else None)
    row["loudness"] = prosody.loudness_correlation(source.samples, converted.samples)
    late = prosody.lag(source.samples, converted.samples)
    row["lag_ms"] = 1000 * (late + converted.sound.start - source.sound.start)
    rate = source.sound.rate
    row["samples"] = len(converted.sound.at(rate)) - len(source.sound.samples)
    return row


def _identity(source: Take, converted: Take, target: Target) -> Figures:
    row: Figures = {}
    for suffix, voice in target.voices.items():
        before, after = source.voice[suffix], converted.voice[suffix]
        far, near = (speakers.nearness(clip, voice.centre) for clip in (before, after))
        row |= {f"src_near{suffix}": far, f"near{suffix}": near, f"own{suffix}": voice.own}
        row[f"share{suffix}"] = near / voice.own
        row[f"progress{suffix}"] = speakers.progress(far, near, voice.own)
        row[f"nearer{suffix}"] = near > speakers.nearness(after, before)
    return row


def judge_copy(original: Take, copy: Take) -> Figures:
    """Copy-synthesis figures of one recording."""
    figures = original.jury.load(lambda: quality.copy_figures(original.sound, copy.sound))
    wide, other = quality.same_length(original.sound.at(24_000), copy.sound.at(24_000))
    return {
        **(figures or {}),
        "lsd": quality.log_spectral_distance(wide, other),
        "src_dnsmos": original.dnsmos,
        "dnsmos": copy.dnsmos,
        "dnsmos_drop": original.dnsmos - copy.dnsmos,
        "lag_ms": 1000 * prosody.lag(original.samples, copy.samples),
        "samples": len(copy.sound.at(original.sound.rate)) - len(original.sound.samples),
    }


def segments(sound: Sound, seconds: float = 3.0) -> list[Sound]:
    """A recording in pieces of about ``seconds``, so that one file says how its figures vary."""
    count = max(1, round(len(sound.samples) / sound.rate / seconds))
    return [Sound(piece, sound.rate, 0.0) for piece in np.array_split(sound.samples, count)]
