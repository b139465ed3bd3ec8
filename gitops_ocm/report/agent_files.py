"""What a cluster's own agent commits to `agents/<cluster>`, and how the hub folds it into `status`.

    cluster.yaml             the ManagedCluster as this agent reports it
    works/<work>.yaml        each ManifestWork with the state of its manifests
    applied/<name>.yaml      each AppliedManifestWork with what it holds on the cluster

The hub API does not have the last at all, and may be behind in the rest while the agent cannot reach
it: in `status` the agent's account stands beside the hub's, see `folded_path` and `generation_of`.
"""

from __future__ import annotations

import re
from typing import Any

from gitops_ocm.objects.ref import Kind, Object, Ref
from gitops_ocm.report.status_files import CLUSTER, WORK, status_file
from gitops_ocm.report.trimmed import header
from gitops_ocm.report.yaml_text import to_yaml

APPLIED = Kind("work.open-cluster-management.io", "AppliedManifestWork")

LARGEST = 512 * 1024
"""Bytes of one agent file that are folded in; an agent is not trusted with the hub's disk."""

_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_OBJECT_PATH = re.compile(rf"(?:works|applied)/{_NAME}\.yaml\Z")
_GENERATION = re.compile(r"^  observedGeneration: ([0-9]+)$", re.MULTILINE)


def agent_path(ref: Ref) -> str:
    """The file for the agent's ManagedCluster, one of its ManifestWorks or AppliedManifestWorks."""
    if ref.of == CLUSTER:
        return "cluster.yaml"
    assert ref.of in (WORK, APPLIED)
    return f"{'works' if ref.of == WORK else 'applied'}/{ref.name}.yaml"


def agent_file(obj: Object) -> str:
    """The text of that file."""
    return to_yaml(_applied(obj)) if obj.get("kind") == APPLIED.kind else status_file(obj)


def _applied(obj: Object) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    fields = ("group", "version", "resource", "namespace", "name")
    resources = [
        {key: item[key] for key in fields if item.get(key)} for item in status.get("appliedResources") or ()
    ]
    resources.sort(key=lambda item: [item.get(key, "") for key in fields])
    held: dict[str, Any] = {"appliedResources": resources}
    if status.get("evictionStartTime"):
        held["evictionStartTime"] = status["evictionStartTime"]
    return {
        **header(obj),
        "spec": {"manifestWorkName": spec.get("manifestWorkName", "")},
        "status": held,
    }


def folded_path(cluster: str, path: str) -> str:
    """Where a file of `agents/<cluster>` goes in `status`; `""` for one that has no place there."""
    if path == "cluster.yaml":
        return f"clusters/{cluster}/agent.yaml"
    return f"clusters/{cluster}/{path}" if _OBJECT_PATH.match(path) else ""


def generation_of(text: str) -> int:
    """The observedGeneration a work's file carries: `yaml_text` has one form, so a line tells.

    Where the hub and an agent both speak of a work, the higher one is shown, the hub's in a tie: it is what
    everybody else sees. A work that only the agent knows is not shown: the hub is the judge of which exist.
    """
    found = _GENERATION.search(text)
    return int(found[1]) if found else 0
