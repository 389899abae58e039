"""How long each stage of a face swap takes, from file to file."""

from __future__ import annotations

import resource
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from recipes.bench.stages import Stages


@dataclass(frozen=True)
class FaceBench:
    """Processor time of one swap.

    Attributes:
        stages: milliseconds per frame of each stage, in the order of the work. Encoders work
            in threads of their own, which are counted under "encode".
        total: milliseconds per frame of the process, without loading and marking.
        loading, marking: seconds, once per file.
        peak: bytes of memory at most.
    """

    frames: int
    size: tuple[int, int]
    stages: dict[str, float]
    total: float
    loading: float
    marking: float
    peak: int

    @property
    def frames_per_second(self) -> float:
        """Of one core that does nothing else."""
        return 1000 / self.total


def bench_face(clip: Path, identity: str, *, which: str | None = None) -> FaceBench:
    """Swap the face of ``clip`` on one thread and measure.

    Processor time, user and system, is counted: what else the machine does shows little in it.
    """
    import cv2
    import torch

    from facesync import swap, swapper
    from facesync.blend import Blender
    from facesync.detect import FaceFinder
    from facesync.draw import FaceDrawer
    from facesync.occlusion import OcclusionFinder
    from facesync.portrait import Portraitist
    from facesync.safeguards.intimate import IntimateGuard
    from facesync.track import FaceTracker
    from facesync.wanted import SourceFace
    from voicefake.common.marks import output
    from voicefake.common.marks.watermark import Watermark
    from voicefake.common.media import VideoReader, VideoWriter, probe

    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    plan: tuple[tuple[str, Any, str, bool], ...] = (
        ("decode", VideoReader, "_frames", True),
        ("detect", FaceFinder, "boxes", False),
        ("mesh", FaceFinder, "mesh", False),
        ("track", FaceTracker, "follow", True),
        ("align and colours", swapper, "crop", False),
        ("align and colours", SourceFace, "of", False),
        ("align and colours", swapper, "retarget", False),
        ("occlusion", OcclusionFinder, "find", False),
        ("high-frequency warp", Portraitist, "portrait", False),
        ("network", FaceDrawer, "draw", False),
        ("blend", Blender, "put", False),
        ("intimate check", IntimateGuard, "look", False),
        ("watermark", Watermark, "picture", False),
        ("encode", VideoWriter, "_code", False),
        ("encode", VideoWriter, "_finish", False),
        ("loading", swap, "_open", False),
        ("marking", output, "embed", False),
    )
    with Stages() as stages, tempfile.TemporaryDirectory() as folder:
        for stage, owner, name, generator in plan:
            stages.watch(stage, owner, name, generator=generator)
        began, began_here = time.process_time(), time.thread_time()
        report = swap.swap_video(
            clip, Path(folder) / "out.mp4", identity, options=swap.SwapOptions(which=which)
        )
        whole, here = time.process_time() - began, time.thread_time() - began_here
    once = {name: stages.seconds.pop(name) for name in ("loading", "marking")}
    stages.seconds["encode"] += whole - here - stages.elsewhere  # in x264's own threads
    stages.seconds["rest"] = whole - sum(once.values()) - sum(stages.seconds.values())
    video = probe(clip).video
    assert video is not None
    return FaceBench(
        report.frames,
        (video.width, video.height),
        {name: 1000 * seconds / report.frames for name, seconds in stages.seconds.items()},
        1000 * (whole - sum(once.values())) / report.frames,
        once["loading"],
        once["marking"],
        resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    )
