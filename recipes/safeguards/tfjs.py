"""Weights of TensorFlow.js packages: mostly 8-bit numbers with a scale and an offset."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Weights = dict[str, NDArray[np.float32]]


def unpack(data: bytes, specs: Iterable[Mapping[str, Any]]) -> Weights:
    """The arrays that lie one after another in ``data``.

    Args:
        specs: per array ``name``, ``shape`` and, where it is quantised, ``quantization`` with
            ``dtype``, ``scale`` and ``min``: value = number * scale + min.
    """
    weights: Weights = {}
    start = 0
    for spec in specs:
        packing = spec.get("quantization")
        kind = np.dtype(packing["dtype"] if packing else spec["dtype"]).newbyteorder("<")
        count = int(np.prod(spec["shape"], dtype=int))
        values = np.frombuffer(data, kind, count, start).astype(np.float32)
        start += count * kind.itemsize
        if packing:
            values = values * np.float32(packing["scale"]) + np.float32(packing["min"])
        weights[spec["name"]] = values.reshape(spec["shape"])
    if start != len(data):
        raise ValueError(f"{len(data) - start} bytes are left over")
    return weights
