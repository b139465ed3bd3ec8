"""What a cluster's own agent commits to `agents/<cluster>`, and how the hub folds it into `status`.

    cluster.yaml         the ManagedCluster as this agent reports it
    works/<work>.yaml    each ManifestWork with the state of its manifests
    applied.yaml         what the agent holds applied: its AppliedManifestWorks

The hub API does not have `applied.yaml` at all, and may be behind in the rest while the agent cannot
reach it: in `status` the agent's account stands beside the hub's, see `folded_path` and `generation_of`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.report.status_files import CLUSTER, WORK, status_file
from gitops_ocm.report.trimmed import header
from gitops_ocm.report.yaml_text import to_yaml

LARGEST = 512 * 1024
"""Bytes of one agent file that are folded in; an agent is not trusted with the hub's disk."""

_NAME = r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?"
_WORK_PATH = re.compile(rf"works/({_NAME})\.yaml\Z")
_GENERATION = re.compile(r"^  observedGeneration: ([0-9]+)$", re.MULTILINE)


def agent_file(obj: Object) -> tuple[str, str]:
    """Path and text of the file for the agent's ManagedCluster or one of its ManifestWorks."""
    if obj.get("kind") == CLUSTER.kind:
        return "cluster.yaml", status_file(obj)
    assert obj.get("kind") == WORK.kind
    return f"works/{obj['metadata']['name']}.yaml", status_file(obj)


def applied_file(applied: Iterable[Object]) -> tuple[str, str]:
    """Path and text of `applied.yaml`: every AppliedManifestWork with what it holds."""
    works = sorted(applied, key=lambda obj: str(obj["metadata"]["name"]))
    return "applied.yaml", to_yaml({"appliedManifestWorks": [_applied(work) for work in works]})


def _applied(obj: Object) -> dict[str, Any]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    fields = ("group", "version", "resource", "namespace", "name")
    resources = [
        {key: item[key] for key in fields if item.get(key)} for item in status.get("appliedResources") or ()
    ]
    resources.sort(key=lambda item: [item.get(key, "") for key in fields])
    entry: dict[str, Any] = {
        "name": header(obj)["metadata"]["name"],
        "manifestWorkName": spec.get("manifestWorkName", ""),
        "appliedResources": resources,
    }
    if status.get("evictionStartTime"):
        entry["evictionStartTime"] = status["evictionStartTime"]
    return entry


def folded_path(cluster: str, path: str) -> str:
    """Where a file of `agents/<cluster>` goes in `status`; `""` for one that has no place there."""
    if path == "cluster.yaml":
        return f"clusters/{cluster}/agent.yaml"
    if path == "applied.yaml":
        return f"clusters/{cluster}/applied.yaml"
    work = _WORK_PATH.match(path)
    return f"clusters/{cluster}/works/{work[1]}.yaml" if work else ""


def generation_of(text: str) -> int:
    """The observedGeneration a work's file carries: `yaml_text` has one form, so a line tells.

    Where the hub and an agent both speak of a work, the higher one is shown, the hub's in a tie: it is what
    everybody else sees. A work that only the agent knows is not shown: the hub is the judge of which exist.
    """
    found = _GENERATION.search(text)
    return int(found[1]) if found else 0
