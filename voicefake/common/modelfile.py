"""Networks on disk: safetensors whose header says all that is needed to rebuild them.

The header's metadata holds one JSON document under ``voicefake``: kind, format version,
config and whatever else the writer wants known (licence, training summary, consent hash).
Tensors are stored in half precision, which costs nothing measurable.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file

from voicefake.common.errors import BadInput
from voicefake.common.files import atomic_path, regular_file

FORMAT_VERSION = 1
MAX_FILE_BYTES = 512 * 2**20
MAX_HEADER_LETTERS = 2**18
_REMEDY = "use a file written by this toolkit"
Network = TypeVar("Network", bound=torch.nn.Module)


@dataclass(frozen=True)
class ModelFile:
    """What a model file holds.

    Attributes:
        kind: which network, e.g. ``voice-encoder``.
        config: arguments that rebuild it.
        tensors: its weights by name, float32.
        details: licence, training summary, consent hash and the like.
    """

    kind: str
    config: dict[str, Any]
    tensors: dict[str, torch.Tensor] = field(repr=False)
    details: dict[str, Any] = field(default_factory=dict)


def save_model(path: Path, model: ModelFile, *, force: bool = True) -> None:
    """Write ``model`` to ``path``, whole or not at all."""
    header = {
        "kind": model.kind,
        "format_version": FORMAT_VERSION,
        "config": model.config,
        "details": model.details,
    }
    tensors = {
        name: (t.half() if t.is_floating_point() else t).detach().cpu().contiguous()
        for name, t in model.tensors.items()
    }
    with atomic_path(path, force=force) as temporary:
        save_file(tensors, temporary, metadata={"voicefake": json.dumps(header, sort_keys=True)})


def load_model(path: Path, kind: str) -> ModelFile:
    """Read a model file of ``kind``.

    Raises:
        BadInput: not safetensors, of another kind, of a newer format, or with values that
            are not finite.
    """
    regular_file(path)
    if path.suffix.lower() != ".safetensors":
        raise BadInput(path, "is not a safetensors file", _REMEDY)
    if path.stat().st_size > MAX_FILE_BYTES:
        raise BadInput(path, "is larger than any model of this toolkit", _REMEDY)
    try:
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {})["voicefake"]
            if len(text) > MAX_HEADER_LETTERS:
                raise BadInput(path, "has a header that is too long", _REMEDY)
            header = json.loads(text)
            tensors = {name: file.get_tensor(name) for name in list(file.keys())}
    except KeyError as error:
        raise BadInput(path, "does not say which model it is", _REMEDY) from error
    except (SafetensorError, ValueError, OSError, RuntimeError, RecursionError) as error:
        raise BadInput(path, "is not a whole safetensors file", _REMEDY) from error
    _check_header(path, header, kind)
    for name, tensor in tensors.items():
        if tensor.is_floating_point():
            tensors[name] = tensor = tensor.float()
            if not torch.isfinite(tensor).all():
                raise BadInput(path, f"has values that are not finite in {name}", _REMEDY)
    return ModelFile(kind, header["config"], tensors, header["details"])


def _check_header(path: Path, header: Any, kind: str) -> None:
    fields: Mapping[str, type] = {
        "kind": str,
        "format_version": int,
        "config": dict,
        "details": dict,
    }
    if not isinstance(header, dict) or any(
        not isinstance(header.get(name), of) for name, of in fields.items()
    ):
        raise BadInput(path, "has a header that is not ours", _REMEDY)
    if header["format_version"] > FORMAT_VERSION:
        raise BadInput(path, "was written by a newer version", "update voicefake")
    if header["kind"] != kind:
        raise BadInput(path, f"is a {header['kind']} where a {kind} is due", "name another file")


def load_weights(network: torch.nn.Module, model: ModelFile, path: Path) -> None:
    """Put the weights of a file into the network that its config built.

    Raises:
        BadInput: names or shapes do not fit.
    """
    try:
        network.load_state_dict(model.tensors)
    except RuntimeError as error:
        raise BadInput(path, "its weights do not fit its own config", _REMEDY) from error


def rebuild(model: ModelFile, path: Path, build: Callable[[], Network]) -> Network:
    """The network that ``build`` makes of a stranger's config, with the weights of the file.

    It is laid out without memory first: a config that does not fit the tensors costs nothing.

    Raises:
        BadInput: the config builds no network, or another one than the file holds.
    """
    try:
        with torch.device("meta"):
            planned = build().state_dict()
    except (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError) as error:
        raise BadInput(path, "its config builds no network", _REMEDY) from error
    shapes = [{name: t.shape for name, t in some.items()} for some in (planned, model.tensors)]
    if shapes[0] != shapes[1]:
        raise BadInput(path, "its weights do not fit its own config", _REMEDY)
    network = build()
    network.load_state_dict(model.tensors)
    return network
