"""Which image an add-on's container gets where registries are mirrored."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from gitops_ocm.api.cluster import IMAGE_REGISTRIES_ANNOTATION


def mirrored(image: str, registries: Iterable[Mapping[str, Any]]) -> str:
    """The image by the last registry that changes it; by none, the image itself."""
    chosen = image
    for registry in registries:
        name = _by(image, str(registry.get("source") or ""), str(registry.get("mirror") or ""))
        chosen = name if name != image else chosen
    return chosen


def _by(image: str, source: str, mirror: str) -> str:
    source, mirror = source.removesuffix("/"), mirror.removesuffix("/")
    if not source:
        last = image.rpartition("/")[2]
        return f"{mirror}/{last}" if mirror else last
    return mirror + image.removeprefix(source) if image.startswith(source) else image


def registries_of_cluster(annotations: Mapping[str, str]) -> Sequence[Mapping[str, Any]]:
    """The registries that a cluster's annotation names; ValueError where it is not what it should be."""
    text = annotations.get(IMAGE_REGISTRIES_ANNOTATION) or ""
    if not text:
        return ()
    told = json.loads(text)
    found = (told.get("registries") or []) if isinstance(told, dict) else None
    if not isinstance(found, list) or not all(isinstance(each, dict) for each in found):
        raise ValueError("it holds no list of registries")
    return found
