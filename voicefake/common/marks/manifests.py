"""Finding one's way in a manifest store, as the C2PA library reports it.

It may come from a stranger: the library has checked its form, but what is told in it is theirs.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from voicefake.common.marks.credentials import story_of
from voicefake.common.marks.mark import Ingredient, MarkState

_UNTRUSTED = "signingCredential.untrusted"
_TRUSTED = "signingCredential.trusted"
_MOST = 1000
"""Ingredients that are told of."""

Manifest = dict[str, Any]


def active(store: Manifest) -> Manifest:
    """The manifest that describes the file as it is."""
    return _manifest(store, store.get("active_manifest"))


def own(store: Manifest) -> Manifest | None:
    """The nearest manifest with a story of ours: the active one, or one it was made from."""
    for manifest in _walk(store):
        if story_of(manifest) is not None:
            return manifest
    return None


def ingredients(store: Manifest) -> Iterator[Ingredient]:
    """What the file was made from, nearest first."""
    count = 0
    for manifest in _walk(store):
        for item in manifest.get("ingredients", []):
            if (count := count + 1) > _MOST:
                return
            inside = _manifest(store, item.get("active_manifest"))
            yield Ingredient(
                str(item.get("title", "")),
                str(manifest.get("title", "")),
                _state(item),
                signer(inside) if inside else "",
                story_of(inside),
            )


def generator(manifest: Manifest) -> str:
    """The program that made it."""
    info = manifest.get("claim_generator_info") or [{}]
    return str(info[0].get("name") or manifest.get("claim_generator") or "unknown software")


def signer(manifest: Manifest) -> str:
    """Whose certificate signed it."""
    told = manifest.get("signature_info", {})
    return str(told.get("common_name") or told.get("issuer") or "an unnamed certificate")


def _manifest(store: Manifest, label: Any) -> Manifest:
    found = store.get("manifests", {}).get(label or "", {})
    return found if isinstance(found, dict) else {}


def _walk(store: Manifest) -> Iterator[Manifest]:
    """The active manifest, those of its ingredients, and so on; each once."""
    queue, seen = [store.get("active_manifest")], set()
    while queue:
        label = queue.pop(0)
        manifest = _manifest(store, label)
        if label in seen or not manifest:
            continue
        seen.add(label)
        yield manifest
        queue += [item.get("active_manifest") for item in manifest.get("ingredients", [])]


def _state(item: Manifest) -> MarkState:
    """Of an ingredient's credentials, when it was taken in."""
    if not item.get("active_manifest"):
        return MarkState.ABSENT
    results = item.get("validation_results", {}).get("activeManifest", {})
    failures, successes = (
        {result.get("code", "") for result in results.get(name, [])}
        for name in ("failure", "success")
    )
    if not successes or failures - {_UNTRUSTED}:
        return MarkState.BROKEN
    return MarkState.TRUSTED if _TRUSTED in successes else MarkState.VALID
