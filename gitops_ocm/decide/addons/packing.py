"""How an add-on's manifests are spread over ManifestWorks.

A work that exists keeps its manifests and their order; what is new goes where most room is left, else into
further works, the largest first. So a change of one manifest touches one work.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.api.work import MAX_MANIFESTS_BYTES
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.go_encoding import go_json
from gitops_ocm.objects.ref import Object, split_api_version

LIMIT = MAX_MANIFESTS_BYTES * 4 // 5
"""Room is left for what manifests grow by."""
Key = tuple[str, str, str, str, str]


class Unpackable(GitopsError):
    """A manifest that no work can hold."""

    code = "addon-manifest"


@dataclass
class Pack:
    """The manifests of one work. `name` is of one that exists, `""` of a new one."""

    name: str
    manifests: list[Object] = field(default_factory=list)
    size: int = 0

    def add(self, manifest: Object) -> None:
        """Put a manifest at the end."""
        self.manifests.append(manifest)
        self.size += manifest_size(manifest)

    @property
    def room(self) -> int:
        """What is left of the limit."""
        return max(0, LIMIT - self.size)


@dataclass(frozen=True)
class Packed:
    """The works there are to be, and those that are left without a manifest."""

    new: tuple[Pack, ...]
    kept: tuple[Pack, ...]
    emptied: tuple[Pack, ...]


def pack(objects: Iterable[Object], existing: Sequence[tuple[str, Sequence[Object]]]) -> Packed:
    """Spread objects over works; `existing` are the works there are, by name, with their manifests.

    Of two objects of one identity the later one counts, as in OCM.
    """
    left: dict[Key, Object] = {}
    for obj in objects:
        left[_key(obj)] = obj
    packs = []
    for name, manifests in existing:
        held = Pack(name)
        for manifest in manifests:
            if (found := left.pop(_key(manifest), None)) is not None:
                held.add(found)
        packs.append(held)
    rest = []
    for obj in sorted(left.values(), key=manifest_size, reverse=True):
        roomy = max(packs, key=lambda each: each.room, default=None)
        if roomy is not None and manifest_size(obj) < roomy.room:
            roomy.add(obj)
        else:
            rest.append(obj)
    return Packed(
        _new(rest),
        tuple(each for each in packs if each.manifests),
        tuple(each for each in packs if not each.manifests),
    )


def _new(objects: Iterable[Object]) -> tuple[Pack, ...]:
    packs: list[Pack] = []
    for obj in objects:
        size = manifest_size(obj)
        if size > MAX_MANIFESTS_BYTES:
            kind, meta = obj.get("kind"), obj.get("metadata") or {}
            raise Unpackable(
                f"{kind} {meta.get('name')} has {size} bytes, and a ManifestWork holds {MAX_MANIFESTS_BYTES}",
                hint="split the object",
            )
        if not packs or packs[-1].size + size >= LIMIT:
            packs.append(Pack(""))
        packs[-1].add(obj)
    return tuple(packs)


def _key(obj: Mapping[str, Any]) -> Key:
    group, version = split_api_version(str(obj.get("apiVersion") or ""))
    meta = obj.get("metadata") or {}
    kind = str(obj.get("kind") or "")
    if not kind or not version:
        raise Unpackable(
            f"failed to generate required mapper.err got empty kind/version from object {meta.get('name')}",
            hint="every manifest has an apiVersion and a kind",
        )
    return group, version, kind, str(meta.get("namespace") or ""), str(meta.get("name") or "")


def manifest_size(manifest: Mapping[str, Any]) -> int:
    """What a manifest counts: its JSON with a line end, in two layers of protocol buffers."""
    size = len(go_json(manifest)) + 1
    for _ in range(2):
        size += 1 + max(1, (size.bit_length() + 6) // 7)
    return size
