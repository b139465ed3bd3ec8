"""Names that are too long, or not of the form, for what is made of them: said at their line.

An API server takes them, and then nothing comes of the object: a label that cannot be written, a name derived
from it that is too long, an admission webhook of OCM that stops a sync half-way. What any kind's name must
look like is `objects.names`'s, a Placement's is `placements`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitops_ocm.desired.fields import Finding
from gitops_ocm.desired.yaml_events import Path
from gitops_ocm.objects.names import label_problems
from gitops_ocm.objects.ref import Kind

ADDON, CLUSTER, WORK = (f"{name}.open-cluster-management.io" for name in ("addon", "cluster", "work"))
LABEL, NAME = 63, 253
_HUB_HASH = 64
"""Digits of the hub's hash, which agents put before the name of a work."""
_AT: Path = ("metadata", "name")


class _Limit(NamedTuple):
    """So many characters a name may have, what the others are for, and what becomes of it otherwise."""

    most: int
    for_: str
    otherwise: str


_ADDON_LIMIT = _Limit(LABEL, "of the label that its works carry", "no cluster would get anything of it")
_LIMITS: Mapping[Kind, _Limit] = {
    Kind(CLUSTER, "ManagedClusterSet"): _Limit(
        LABEL, "of the label by which clusters are in it", "no cluster could be in it"
    ),
    Kind(WORK, "ManifestWork"): _Limit(
        NAME - _HUB_HASH - 1,
        "that agents leave for it in the name of their AppliedManifestWork",
        "its agent could not apply it",
    ),
    Kind(ADDON, "ClusterManagementAddOn"): _ADDON_LIMIT,
    Kind(ADDON, "ManagedClusterAddOn"): _ADDON_LIMIT,
}
CLUSTERS = Kind(CLUSTER, "ManagedCluster")
BINDINGS = Kind(CLUSTER, "ManagedClusterSetBinding")
REPLICA_SETS = Kind(WORK, "ManifestWorkReplicaSet")


def name_findings(of: Kind, obj: Mapping[str, Any]) -> Iterator[Finding]:
    """What is wrong with the name of an object of one of OCM's kinds."""
    meta = obj["metadata"]
    name = str(meta["name"])
    if (limit := _LIMITS.get(of)) is not None and len(name) > limit.most:
        why = f"the name is longer than the {limit.most} characters {limit.for_}"
        yield Finding("name-too-long", why, _AT, f"{limit.otherwise}: shorten it")
    elif of == REPLICA_SETS and len(f"{meta.get('namespace')}.{name}") > LABEL:
        why = f"namespace and name are longer than the {LABEL - 1} characters that the label of its works has"
        yield Finding("name-too-long", why, _AT, "no cluster would get anything of it: shorten one of them")
    elif of == CLUSTERS and (problems := label_problems(name)):
        why = f"the name cannot be that of the cluster's namespace: it {', it '.join(problems)}"
        yield Finding("cluster-name", why, _AT, "the hub would refuse the cluster: give it another name")
    elif of == BINDINGS and (bound := (obj.get("spec") or {}).get("clusterSet")) != name:
        why = f"the binding is named {name}, and the cluster set {bound}"
        yield Finding("binding-name", why, _AT, "the hub would refuse it: both have the same name")
