"""`gitops-ocm render`: what a commit would have synced, or given to one cluster, as a stream kubectl takes.

The objects are as Git has them, in the order in which the sync applies them; each says where it was
written. What clusters are given is what the preview comes to when everybody has been reached.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gitops_ocm.errors import Diagnostic, Location, Severity
from gitops_ocm.objects.diff import masked
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.plan.compute import compute
from gitops_ocm.plan.waves import waves
from gitops_ocm.preview.manifests import Manifest, check_cluster, manifests_on
from gitops_ocm.preview.run import attempt
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.verbs.fleet_at import FleetAt


class Form(StrEnum):
    """`-o`."""

    YAML = "yaml"
    JSON = "json"
    NAME = "name"


@dataclass(frozen=True)
class Rendered:
    """One object, and what to say of where it comes from."""

    ref: Ref
    obj: Object
    comment: str


def wanted(fleet: FleetAt) -> list[Rendered]:
    """All objects, wave by wave."""
    desired = fleet.desired
    plan = compute(desired.objects, {}, owner="render", commit=desired.commit)
    ordered = [change.wanted for wave in waves(plan) for change in wave.changes if change.wanted]
    return [Rendered(item.ref, dict(item.obj), str(item.origin)) for item in ordered]


def on_cluster(fleet: FleetAt, cluster: str, now: datetime) -> tuple[list[Rendered], list[Diagnostic]]:
    """What a cluster is given in the end, and the works of which that cannot be told."""
    tried = attempt(fleet.desired, fleet.desired, fleet.state, catalog=fleet.catalog, now=now)
    check_cluster(tried.after, cluster)
    found = manifests_on(tried.after, cluster, fleet.catalog)
    origins = {item.ref: item.origin for item in fleet.desired.objects}
    shown = [Rendered(m.ref, m.obj, _from(m, origins)) for m in found.known]
    return shown, [untold(ref) for ref in found.untold]


def untold(work: Ref) -> Diagnostic:
    """What is said of a work that is on the hub and whose manifests are not in Git."""
    return Diagnostic(
        "manifests-untold",
        "its manifests are not known here: neither Git nor an add-on's template makes it",
        subject=str(work),
        hint=f"kubectl --context hub -n {work.namespace} get manifestwork {work.name} -o yaml",
        severity=Severity.WARNING,
    )


def _from(manifest: Manifest, origins: Mapping[Ref, Location]) -> str:
    made = f" for {_short(manifest.owner)}" if manifest.owner != manifest.work else ""
    where = origins.get(manifest.owner)
    return f"{_short(manifest.work)}{made}" + (f", {where}" if where else "")


def _short(ref: Ref) -> str:
    return f"{ref.kind} {ref.namespace}/{ref.name}" if ref.namespace else f"{ref.kind} {ref.name}"


def text(found: Sequence[Rendered], form: Form, *, mask: bool) -> str:
    """The stream; `mask` hides values of Secrets."""
    objects = [masked(item.obj) if mask else item.obj for item in found]
    match form:
        case Form.YAML:
            comments = (f"# {item.comment}\n" for item in found)
            parts = (comment + to_yaml(obj) for comment, obj in zip(comments, objects, strict=True))
            return "---\n".join(parts)
        case Form.JSON:
            whole = {"apiVersion": "v1", "kind": "List", "items": objects}
            return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"
        case Form.NAME:
            return "".join(f"{line}\n" for line in _names(item.ref for item in found))


def _names(refs: Iterable[Ref]) -> Iterator[str]:
    """Each as arguments of `kubectl get`."""
    for ref in refs:
        kind = f"{ref.kind}.{ref.group}" if ref.group else ref.kind
        yield f"{kind.lower()}/{ref.name}" + (f" -n {ref.namespace}" if ref.namespace else "")
