"""Hub objects as the files of the `status` branch.

    clusters/<name>/cluster.yaml            ManagedCluster
    clusters/<name>/works/<work>.yaml       ManifestWork in the cluster's namespace
    clusters/<name>/addons/<addon>.yaml     ManagedClusterAddOn
    placements/<namespace>/<name>.yaml      Placement with its PlacementDecisions
    replicasets/<namespace>/<name>.yaml     ManifestWorkReplicaSet, how far its works are rolled out
    addons/<addon>.yaml                     ClusterManagementAddOn, how far its configuration is
    sync.yaml                               HubSync

One function per object: one change costs one file. Nothing here knows Git (`git.writer`) or when to commit
(`sync.push`). What an agent alone knows is `agent_files`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from gitops_ocm.api.placement import PLACEMENT_LABEL
from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.report.redaction import redacted
from gitops_ocm.report.trimmed import (
    conditions,
    counted,
    header,
    manifest_states,
    observed_generation,
    without_spec,
)
from gitops_ocm.report.yaml_text import to_yaml

CLUSTER = Kind("cluster.open-cluster-management.io", "ManagedCluster")
PLACEMENT = Kind("cluster.open-cluster-management.io", "Placement")
DECISION = Kind("cluster.open-cluster-management.io", "PlacementDecision")
WORK = Kind("work.open-cluster-management.io", "ManifestWork")
ADDON = Kind("addon.open-cluster-management.io", "ManagedClusterAddOn")
REPLICA_SET = Kind("work.open-cluster-management.io", "ManifestWorkReplicaSet")
MANAGEMENT_ADDON = Kind("addon.open-cluster-management.io", "ClusterManagementAddOn")
SYNC = Kind("sync.gitops-ocm.io", "HubSync")


def path_of(ref: Ref) -> str:
    """The file that tells of an object; `""` for a kind that has none."""
    match ref.of:
        case kind if kind == CLUSTER:
            return f"clusters/{ref.name}/cluster.yaml"
        case kind if kind == WORK:
            return f"clusters/{ref.namespace}/works/{ref.name}.yaml"
        case kind if kind == ADDON:
            return f"clusters/{ref.namespace}/addons/{ref.name}.yaml"
        case kind if kind == PLACEMENT:
            return f"placements/{ref.namespace}/{ref.name}.yaml"
        case kind if kind == REPLICA_SET:
            return f"replicasets/{ref.namespace}/{ref.name}.yaml"
        case kind if kind == MANAGEMENT_ADDON:
            return f"addons/{ref.name}.yaml"
        case kind if kind == SYNC:
            return "sync.yaml"
    return ""


def ref_at(path: str) -> Ref | None:
    """The object a file tells of; None for a file that is nobody's. A sync's name is not in its path."""
    if path == "sync.yaml":
        return Ref(*SYNC, "", "")
    match path.removesuffix(".yaml").split("/"):
        case ["clusters", cluster, "cluster"]:
            return Ref(*CLUSTER, "", cluster)
        case ["clusters", cluster, "works", name]:
            return Ref(*WORK, cluster, name)
        case ["clusters", cluster, "addons", name]:
            return Ref(*ADDON, cluster, name)
        case ["placements", namespace, name]:
            return Ref(*PLACEMENT, namespace, name)
        case ["replicasets", namespace, name]:
            return Ref(*REPLICA_SET, namespace, name)
        case ["addons", name]:
            return Ref(*MANAGEMENT_ADDON, "", name)
    return None


def cluster_of(path: str) -> str:
    """The cluster a file is about, for the `Cluster:` trailer; `""` where it is about none."""
    first, _, rest = path.partition("/")
    return rest.partition("/")[0] if first == "clusters" else ""


def owner_of_decision(obj: Object) -> Ref:
    """The Placement whose file tells of this PlacementDecision."""
    meta = obj.get("metadata") or {}
    name = (meta.get("labels") or {}).get(PLACEMENT_LABEL, "")
    return Ref(*PLACEMENT, meta.get("namespace", ""), name)


def status_file(obj: Object, decisions: Iterable[Object] = ()) -> str:
    """The text of the file for one object. `decisions` are a Placement's PlacementDecisions."""
    return to_yaml(told_of(obj, decisions))


def told_of(obj: Object, decisions: Iterable[Object] = ()) -> Object:
    """What the file for one object holds."""
    kind = Kind(str(obj.get("apiVersion", "")).rpartition("/")[0], str(obj.get("kind", "")))
    shown = without_spec(obj) if kind == WORK else obj
    # Deadlines of rollouts count from when a cluster was given its work.
    content = {**header(shown, born=kind == WORK), **_BODIES[kind](shown)}
    if kind == PLACEMENT:
        content["status"]["decisions"] = _decisions(decisions)
    return content


def _cluster(obj: Object) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    claims = sorted(status.get("clusterClaims") or (), key=lambda claim: str(claim.get("name", "")))
    body: dict[str, Any] = {
        "spec": _present(
            hubAcceptsClient=bool(spec.get("hubAcceptsClient")), taints=redacted(spec.get("taints"))
        ),
        "status": _present(
            conditions=conditions(status.get("conditions")),
            version=status.get("version"),
            capacity=status.get("capacity"),
            allocatable=status.get("allocatable"),
            clusterClaims=redacted(claims),
        ),
    }
    return body


def _work(obj: Object) -> dict[str, Any]:
    status = obj.get("status") or {}
    manifests = manifest_states(obj)
    return {
        "status": _present(
            conditions=conditions(status.get("conditions")),
            observedGeneration=observed_generation(obj),
            summary=counted(manifests),
            manifests=manifests,
        )
    }


def _addon(obj: Object) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return {
        "spec": _present(installNamespace=spec.get("installNamespace"), configs=spec.get("configs")),
        "status": _present(
            conditions=conditions(status.get("conditions")),
            namespace=status.get("namespace"),
            configReferences=redacted(status.get("configReferences")),
        ),
    }


def _placement(obj: Object) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return {
        "spec": _present(clusterSets=spec.get("clusterSets"), numberOfClusters=spec.get("numberOfClusters")),
        "status": _present(
            conditions=conditions(status.get("conditions")),
            numberOfSelectedClusters=int(status.get("numberOfSelectedClusters") or 0),
            decisionGroups=status.get("decisionGroups"),
        ),
    }


def _replica_set(obj: Object) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return {
        "spec": _present(placementRefs=spec.get("placementRefs")),
        "status": _present(
            conditions=conditions(status.get("conditions")),
            summary=status.get("summary"),
            placementSummary=status.get("placementSummary"),
        ),
    }


def _management_addon(obj: Object) -> dict[str, Any]:
    status = obj.get("status") or {}
    progress = [
        _present(**{**item, "conditions": conditions(item.get("conditions"))})
        for item in redacted(status.get("installProgressions")) or ()
    ]
    return {"status": _present(installProgressions=progress)}


def _decisions(slices: Iterable[Object]) -> list[str]:
    names = (
        str(decision.get("clusterName", ""))
        for obj in slices
        for decision in (obj.get("status") or {}).get("decisions") or ()
    )
    return sorted(set(names))


def _sync(obj: Object) -> dict[str, Any]:
    """Without the inventory, which is bookkeeping, and without attempt times, which are heartbeat."""
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    repository = spec.get("repository") or {}
    return {
        "spec": _present(
            repository=redacted(
                _present(url=repository.get("url"), ref=repository.get("ref"), path=repository.get("path"))
            ),
        ),
        "status": _present(
            conditions=conditions(status.get("conditions")),
            lastAppliedCommit=status.get("lastAppliedCommit"),
            lastAttemptedCommit=status.get("lastAttemptedCommit"),
            problems=redacted(status.get("problems")),
            policy=redacted(status.get("policy")),
            objects=(status.get("summary") or {}).get("objects"),
        ),
    }


def _present(**fields: Any) -> dict[str, Any]:
    """The fields that say something; False and 0 do."""
    return {key: value for key, value in fields.items() if value not in (None, "", [], {})}


_BODIES: Mapping[Kind, Callable[[Object], dict[str, Any]]] = {
    CLUSTER: _cluster,
    WORK: _work,
    ADDON: _addon,
    PLACEMENT: _placement,
    REPLICA_SET: _replica_set,
    MANAGEMENT_ADDON: _management_addon,
    SYNC: _sync,
}
