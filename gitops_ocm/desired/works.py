"""The manifests inside ManifestWorks and ManifestWorkReplicaSets, before the hub sees them.

The rules, and their words where OCM's admission webhook has them, are those of the hub: a commit it
would refuse half-way is refused whole.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from gitops_ocm.api.work import MAX_MANIFESTS_BYTES
from gitops_ocm.desired.fields import Finding, head_findings
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.objects.canonical import canonical_json
from gitops_ocm.objects.paths import get

GROUP = "work.open-cluster-management.io"
_SPECS: Mapping[str, Path] = {
    "ManifestWork": ("spec",),
    "ManifestWorkReplicaSet": ("spec", "manifestWorkTemplate"),
}
_EMPTY = {
    "ManifestWork": "manifests should not be empty",
    "ManifestWorkReplicaSet": "Workload manifests should not be empty",
}


def carries_manifests(group: str, kind: str) -> bool:
    """Whether objects of a kind hold manifests for managed clusters."""
    return group == GROUP and kind in _SPECS


def work_findings(obj: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the manifests of an object that carries some."""
    kind = obj["kind"]
    path = _SPECS[kind]
    spec = get(obj, *path, default={})
    manifests = get(spec, "workload", "manifests", default=None)
    at: Path = (*path, "workload", "manifests")
    if manifests is not None and not isinstance(manifests, list):
        return  # Of the wrong type, which the schema tells.
    if not manifests:
        yield Finding(
            "work-empty", _EMPTY[kind], at, "list at least one object under spec.workload.manifests"
        )
        return
    seen: dict[tuple[str, ...], int] = {}
    for index, manifest in enumerate(manifests):
        yield from _manifest(manifest, (*at, index), seen, index)
    size = sum(_wire_size(manifest) for manifest in manifests)
    if size > MAX_MANIFESTS_BYTES:
        why = f"the size of manifests is {size} bytes which exceeds the {MAX_MANIFESTS_BYTES} limit"
        yield Finding("work-too-large", why, at, "split the work in two")
    subject = get(spec, "executor", "subject", default=None)
    if isinstance(subject, Mapping) and not subject.get("serviceAccount"):
        yield Finding(
            "work-executor", "executor service account can not be nil", (*path, "executor", "subject")
        )


def _manifest(manifest: Any, at: Path, seen: dict[tuple[str, ...], int], index: int) -> Iterator[Finding]:
    if not isinstance(manifest, Mapping):
        yield Finding("work-manifest", f"manifest {index} is not an object", at)
        return
    if head_findings(manifest):
        return  # Of the wrong type, which the schema tells.
    for field in ("apiVersion", "kind"):
        if not manifest.get(field):
            yield Finding("work-manifest", f"manifest {index} has no {field}", at)
    meta = manifest.get("metadata") or {}
    if meta.get("generateName"):
        why = "generateName must not be set in manifest"
        yield Finding("work-manifest", why, (*at, "metadata", "generateName"), "give it a fixed name")
    elif not meta.get("name"):
        yield Finding("work-manifest", "name must be set in manifest", (*at, "metadata"))
    api_version, kind = str(manifest.get("apiVersion")), str(manifest.get("kind"))
    identity = (api_version, kind, meta.get("namespace") or "", meta.get("name") or "")
    first = seen.setdefault(identity, index)
    if first != index:
        name = f"{identity[2]}/{identity[3]}"
        yield Finding(
            "work-duplicate",
            f"duplicate manifest for resource {name} with resource type {api_version}.{kind}",
            at,
            f"it is also manifest {first}",
        )


def _wire_size(manifest: Any) -> int:
    """How the hub counts a manifest: its bytes, a tag byte and a length prefix (protocol buffers)."""
    size = len(canonical_json(manifest))
    return size + 1 + max(1, (size.bit_length() + 6) // 7)
