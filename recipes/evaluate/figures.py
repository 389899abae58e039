"""What each figure means, what natural speech gets, and tables of means with their intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from recipes.evaluate.sure import Estimate, estimate

Value = float | int | str | bool | None
Row = Mapping[str, Value]
Figures = dict[str, Value]


@dataclass(frozen=True)
class Meaning:
    """One figure.

    Attributes:
        title: for people.
        natural: what natural recordings get: a number, or the column of a row that holds it.
        told: how it is measured.
        bar: what a good result reaches, as text; empty where there is none.
    """

    title: str
    natural: float | str | None
    told: str
    bar: str = ""


@dataclass(frozen=True)
class Summary:
    """The mean of one figure over rows."""

    name: str
    meaning: Meaning
    estimate: Estimate
    natural: float | None

    def row(self) -> Figures:
        """As a line of a table."""
        return {
            "figure": self.name,
            "mean": self.estimate.mean,
            "low": self.estimate.low,
            "high": self.estimate.high,
            "n": self.estimate.count,
            "natural": self.natural,
            "bar": self.meaning.bar,
        }


_MOON = "the same by Moonshine tiny: no independent judge, it listens in every conversion too"
VOICE: dict[str, Meaning] = {
    "progress": Meaning(
        "progress", 1.0, "0: as near to the target as the source, 1: as the target's own other "
        "recordings (resemblyzer)", "≥ .85 seen, ≥ .70 unheard",
    ),
    "progress_x": Meaning("progress, x-vector", 1.0, "the same by another embedding", "the same"),
    "near": Meaning("nearness", "own", "cosine to the target's recordings (resemblyzer)"),
    "near_x": Meaning("nearness, x-vector", "own_x", "the same by another embedding"),
    "share": Meaning("nearness of own", 1.0, "nearness over that of the target's own", "≥ .94"),
    "nearer": Meaning("nearer to target", 1.0, "nearer to the target than to the source", "1"),
    "nearer_x": Meaning("nearer, x-vector", 1.0, "the same by another embedding", "1"),
    "wer_sphinx": Meaning(
        "word error, pocketsphinx", "src_wer_sphinx", "open recogniser of English; its model also "
        "aligned phones for the training", "≤ source + .03",
    ),
    "wer_moon": Meaning("word error, Moonshine", "src_wer_moon", _MOON, "≤ source + .03"),
    "keywords": Meaning(
        "GRID keywords", "src_keywords", "share of colour, letter and digit heard right by a "
        "grammar of the 64,000 GRID sentences (pocketsphinx)", "≥ .96",
    ),
    "dtw_mcd": Meaning(
        "DTW-MCD, dB", "src_dtw_mcd", "mel-cepstral distortion after time warping against the "
        "target's own reading of the sentence; natural: that of the source", "≤ 4.6",
    ),
    "f0_corr": Meaning("melody correlation", 1.0, "of log-F0 where both are voiced", "≥ .97"),
    "f0_cents": Meaning(
        "melody error, cents", 0.0, "median distance from the source's melody moved to the "
        "target's range", "≤ 60",
    ),
    "voicing": Meaning("voicing agreement", 1.0, "share of 5 ms frames voiced as in the source"),
    "loudness": Meaning("loudness correlation", 1.0, "of the level in dB, 40 dB deep"),
    "dnsmos": Meaning("DNSMOS", "src_dnsmos", "overall quality by DNSMOS P.835, 1 to 5"),
    "dnsmos_drop": Meaning(
        "DNSMOS lost", 0.0, "below the lower one of source and target", "≤ .12"
    ),
    "lag_ms": Meaning("lag, ms", 0.0, "how much later the sound comes"),
    "samples": Meaning("length, samples", 0.0, "longer than the source"),
}  # fmt: skip
COPY: dict[str, Meaning] = {
    "pesq": Meaning("PESQ", 4.644, "ITU-T P.862.2, wide band", "≥ 4.1"),
    "stoi": Meaning("STOI", 1.0, "short-time intelligibility", "≥ .987"),
    "mcd": Meaning("MCD, dB", 0.0, "mel-cepstral distortion", "≤ 1.7"),
    "lsd": Meaning("LSD, dB", 0.0, "log-spectral distance", "≤ 2.45"),
    "dnsmos": VOICE["dnsmos"],
    "dnsmos_drop": Meaning("DNSMOS lost", 0.0, "below the original", "≤ .03"),
    "lag_ms": VOICE["lag_ms"],
    "samples": VOICE["samples"],
}


FACE: dict[str, Meaning] = {
    "progress": Meaning(
        "identity progress", 1.0, "0: as far from the target as the source, 1: as near as the "
        "target's own other clips (dlib)", "≥ .85",
    ),
    "margin": Meaning("identity margin", None, "distance to the nearest other person less that "
        "to the target", "≥ .32"),
    "rank1": Meaning("rank 1", 1.0, "faces nearest to the target among everybody", "≥ .98"),
    "nearer": Meaning("nearer to target", 1.0, "share of faces nearer to it than to the source"),
    "mouth": Meaning("mouth correlation", 1.0, "opening of the lips, with the source's", "≥ .93"),
    "mouth_gain": Meaning("mouth gain", 1.0, "how wide it opens, of the source's", ".85–1.15"),
    "eyes": Meaning("eye correlation", 1.0, "opening of the lids, with the source's", "≥ .80"),
    "eyes_gain": Meaning("eye gain", 1.0, "how far they close, of the source's", "≥ .6"),
    "yaw": Meaning("yaw, °", 0.0, "mean deviation of the head's pose from the source's", "≤ .5"),
    "pitch": Meaning("pitch, °", 0.0, "the same, nodding; another face's shape adds to it", "≤ .5"),
    "roll": Meaning("roll, °", 0.0, "the same, tilting", "≤ .5"),
    "motion": Meaning("motion error", 0.0, "of landmarks about their mean place, in eye "
        "distances", "≤ .014"),
    "jitter": Meaning("jitter", 1.0, "trembling of the head, of the source's", "≤ 1.0"),
    "sharpness": Meaning("sharpness", 1.0, "fine detail of the face, of the source's", ".55–1.2"),
    "flicker": Meaning("flicker", 1.0, "unrest of the face held still, of the source's", "≤ 1.0"),
    "pulse": Meaning("pulse", 1.0, "unrest of its lightness, of the source's", "≤ 1.4"),
    "colour_step": Meaning("colour step, ΔE", 0.0, "jump of colour at the face's border beyond the "
        "source's", "≤ 2.5"),
    "seam": Meaning("seam", 1.0, "gradient across the border, of the source's", ".9–1.05"),
    "background": Meaning("background, dB", None, "PSNR of all but the face", "≥ 41"),
    "sync": Meaning("mouth and sound", "src_sync", "correlation of the mouth with the level"),
    "sync_lag": Meaning("mouth's lag, ms", "src_sync_lag", "at the best correlation; one clip is "
        "too short to trust it"),
    "time_ms": Meaning("time shift, ms", 0.0, "largest shift of a picture", "0"),
}  # fmt: skip


def summarise(
    rows: Sequence[Row], meanings: Mapping[str, Meaning], group: str = "clip"
) -> list[Summary]:
    """The mean of every known figure over ``rows``, with its interval over clips.

    Args:
        group: the column whose values say what belongs together (see `sure.estimate`).
    """
    found = []
    for name, meaning in meanings.items():
        mean = _estimate(rows, name, group)
        if mean is not None:
            natural = meaning.natural
            if isinstance(natural, str):
                own = _estimate(rows, natural, group)
                natural = own.mean if own else None
            found.append(Summary(name, meaning, mean, natural))
    return found


def _estimate(rows: Sequence[Row], name: str, group: str) -> Estimate | None:
    held = [(row, row[name]) for row in rows if isinstance(row.get(name), int | float)]
    groups = [row.get(group) for row, _ in held]
    return estimate([float(value) for _, value in held if value is not None], groups)
