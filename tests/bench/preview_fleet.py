"""A fleet's repository to preview changes in: what Git wants on `main`, and the fleet at rest on `status`.

    write_repository(folder, Size(clusters=1000, placements=100, replica_sets=10))

The clusters' own account is made up here; everything else that `status` tells is what the hub's controllers
come to with it. The same size always makes the same files.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from gitops_ocm.decide.kinds import MANAGED_CLUSTER, MANIFEST_WORK, PLACEMENT_DECISION
from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.objects.ref import Object, Ref, kind_of, ref_of
from gitops_ocm.preview.run import attempt
from gitops_ocm.preview.state import FleetState
from gitops_ocm.report.status_files import owner_of_decision, path_of, status_file
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, tzinfo=UTC)
HOME = "fleet"
REGIONS = 20
SYNC = """apiVersion: sync.gitops-ocm.io/v1alpha1
kind: HubSync
metadata:
  name: fleet
status:
  lastAppliedCommit: {commit}
"""
_WHO = "Fleet <fleet@example.com> 1767225600 +0000"


@dataclass(frozen=True)
class Size:
    """How large a fleet is. A replica set goes to nine clusters of ten, where `local` to one region."""

    clusters: int = 1000
    placements: int = 100
    replica_sets: int = 10
    local: bool = False


def cluster_file(number: int) -> str:
    """Where a cluster is written."""
    return f"clusters/{cluster_name(number)}/cluster.yaml"


def cluster_name(number: int) -> str:
    """A cluster's name."""
    return f"cluster-{number:05}"


def set_file(number: int) -> str:
    """Where a replica set is written."""
    return f"works/web-{number:03}.yaml"


def desired(size: Size) -> dict[str, str]:
    """The files on `main`."""
    found = {cluster_file(number): to_yaml(_cluster(number)) for number in range(size.clusters)}
    found["hub/namespace.yaml"] = "---\n".join(
        map(to_yaml, (make.namespace(HOME), make.binding("default", HOME)))
    )
    for placement in _placements(size):
        found[f"hub/placements/{placement['metadata']['name']}.yaml"] = to_yaml(placement)
    for number in range(size.replica_sets):
        target = f"region-{number % REGIONS:02}" if size.local else "most"
        found[set_file(number)] = to_yaml(_replica_set(number, target))
    return found


def _cluster(number: int) -> Object:
    labels = {"region": f"r{number % REGIONS}", "ring": f"ring{number % 10}", "team": f"t{number % 97}"}
    return make.managed_cluster(cluster_name(number), labels=labels)


def _placements(size: Size) -> Iterator[Object]:
    for number in range(size.placements - 1):
        name = f"region-{number:02}" if number < REGIONS else f"team-{number:04}"
        labels = {"region": f"r{number % REGIONS}"}
        if number >= REGIONS:
            labels["team"] = f"t{number % 97}"
        yield make.placement(
            name, HOME, predicates=[{"requiredClusterSelector": {"labelSelector": {"matchLabels": labels}}}]
        )
    most = {"matchExpressions": [{"key": "ring", "operator": "NotIn", "values": ["ring9"]}]}
    yield make.placement("most", HOME, predicates=[{"requiredClusterSelector": {"labelSelector": most}}])


def _replica_set(number: int, target: str) -> Object:
    name = f"web-{number:03}"
    manifests = [make.config_map(name), make.deployment(name)]
    return make.replica_set(name, HOME, [target], manifests)


def _account_of(cluster: Object) -> Object:
    """A cluster as its agent tells of it."""
    at = "2026-01-01T00:00:00Z"
    types = ("HubAcceptedManagedCluster", "ManagedClusterConditionAvailable", "ManagedClusterJoined")
    status = {
        "conditions": [
            {
                "type": type_,
                "status": "True",
                "reason": type_,
                "message": "as it is to be",
                "lastTransitionTime": at,
            }
            for type_ in types
        ],
        "version": {"kubernetes": "v1.35.4"},
        "capacity": {"cpu": "16", "memory": "64Gi"},
        "allocatable": {"cpu": "15", "memory": "60Gi"},
        "clusterClaims": [
            {"name": "platform.open-cluster-management.io", "value": "AWS"},
            {"name": "region.open-cluster-management.io", "value": "eu-west-1"},
        ],
    }
    return {**cluster, "status": status}


def told(files: Mapping[str, str]) -> dict[str, str]:
    """The files on `status`: the fleet once it is at rest with these."""
    tree = memory_tree(files)
    base = compile_tree(tree, load_catalog())
    assert base.ok, base.diagnostics[:3]
    clusters = {w.ref: _account_of(w.obj) for w in base.objects if w.ref.of == MANAGED_CLUSTER}
    nothing = compile_tree(memory_tree({}), load_catalog())
    after = attempt(nothing, base, FleetState("", clusters), catalog=load_catalog(), now=NOW).after
    decisions: dict[Ref, list[Object]] = {}
    for ref, obj in after.items():
        if ref.of == PLACEMENT_DECISION:
            decisions.setdefault(owner_of_decision(obj), []).append(obj)
    return {
        path: status_file(_reported(obj), decisions.get(ref, ()))
        for ref, obj in after.items()
        if (path := path_of(ref))
    }


def _reported(obj: Object) -> Object:
    """A work with what its agent tells of each manifest; others as they are."""
    if kind_of(obj) != MANIFEST_WORK:
        return obj
    good = [
        {"type": type_, "status": "True", "reason": type_ + "Complete"} for type_ in ("Applied", "Available")
    ]
    manifests: list[Object] = [
        {"resourceMeta": _meta(manifest) | {"ordinal": number}, "conditions": good}
        for number, manifest in enumerate(obj["spec"]["workload"]["manifests"])
    ]
    return {**obj, "status": {**obj["status"], "resourceStatus": {"manifests": manifests}}}


def _meta(manifest: Object) -> Object:
    ref = ref_of(manifest)
    version = manifest["apiVersion"].rpartition("/")[2]
    return {
        "group": ref.group,
        "version": version,
        "kind": ref.kind,
        "namespace": ref.namespace,
        "name": ref.name,
    }


def write_repository(folder: Path, size: Size) -> None:
    """A clone with `main` checked out."""
    files = desired(size)
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    _import(folder, "main", files)
    commit = _git(folder, "rev-parse", "main")
    _import(folder, "status", {**told(files), "sync.yaml": SYNC.format(commit=commit)})
    _git(folder, "checkout", "--quiet", "main")


def _import(folder: Path, branch: str, files: Mapping[str, str]) -> None:
    """One commit with these files, as one pack."""
    parts = [f"commit refs/heads/{branch}\ncommitter {_WHO}\ndata 5\nFleet\n"]
    for path, text in sorted(files.items()):
        parts.append(f"M 100644 inline {path}\ndata {len(text.encode())}\n{text}\n")
    _git(folder, "fast-import", "--quiet", stdin="".join(parts))


def _git(folder: Path, *args: str, stdin: str = "") -> str:
    done = subprocess.run(["git", *args], cwd=folder, check=True, capture_output=True, text=True, input=stdin)
    return done.stdout.strip()
