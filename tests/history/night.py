"""A night of a fleet of three clusters, recorded as its sync would: what was committed, and what was told.

20:00 start; 21:00 web's version 2, which c1 has at once, c2 after five minutes and c3 cannot run; 21:30 a
commit with a slip; 22:00 version 1 again; 23:00 a commit that the policy refuses; 23:10 the same with a word;
02:00 c2 is silent until 02:45; 03:00 c3 is tainted and the placement leaves it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from subprocess import run
from typing import Any

from gitops_ocm.git.command import Git
from gitops_ocm.git.writer import Author, BranchWriter
from gitops_ocm.objects.ref import Object, ref_of
from gitops_ocm.report.status_files import path_of, status_file
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make

EVENING = datetime(2026, 3, 1, 20, tzinfo=UTC)
CLUSTERS = ("c1", "c2", "c3")
SET = make.replica_set("web", "fleet", ["all"], [make.config_map("web")])


Told = Object | tuple[Object, Object]
"""An object, or a placement and its decisions."""


def condition(name: str, status: str, message: str = "") -> Object:
    """A condition that says so."""
    return {"type": name, "status": status, "reason": "Told", "message": message}


def work(cluster: str, version: int, *, generation: int, applied: bool = True, runs: bool = True) -> Object:
    """The work of the set on a cluster, as its agent last spoke of it."""
    obj = make.manifest_work("web-0123456789", cluster, [make.config_map("web", data={"v": str(version)})])
    obj["metadata"]["labels"] = {"work.open-cluster-management.io/manifestworkreplicaset": "fleet.web"}
    told = [condition("Applied", "True" if applied else "False", "" if applied else "forbidden")]
    told.append(condition("Available", "True" if runs else "False", "" if runs else "crashes"))
    for one in told:
        one["observedGeneration"] = generation
    obj["status"] = {"conditions": told}
    return obj


def cluster(name: str, *, available: str = "True", taints: Sequence[Mapping[str, Any]] = ()) -> Object:
    """A cluster as the hub has it."""
    obj = make.managed_cluster(name, taints=taints)
    message = "Registration agent stopped updating its lease." if available == "Unknown" else "Fine."
    obj["status"] = {"conditions": [condition("ManagedClusterConditionAvailable", available, message)]}
    return obj


def placement(*chosen: str) -> tuple[Object, Object]:
    """A placement and its decisions."""
    made = make.placement("all", "fleet")
    made["status"] = {"numberOfSelectedClusters": len(chosen)}
    decided = {"status": {"decisions": [{"clusterName": name} for name in chosen]}}
    return made, decided


@dataclass
class Night:
    """The repository, a clone of it, and its commits by name."""

    bare: Path
    clone: Path
    commits: dict[str, str] = field(default_factory=dict)
    reports: list[str] = field(default_factory=list)

    def committed(self, name: str, minutes: float, files: Mapping[str, str | None], body: str = "") -> None:
        """A commit of desired state, so many minutes after eight."""
        writer = BranchWriter(Git(self.bare), "main", author=Author("Ann", "ann@example.com"))
        content = {path: None if text is None else text.encode() for path, text in files.items()}
        made = writer.commit(content, name, now=_at(minutes), body=body)
        assert made is not None
        self.commits[name] = made.commit

    def told(self, minutes: float, *objects: Told, source: str = "", gone: Sequence[str] = ()) -> None:
        """A commit of the status branch."""
        writer = BranchWriter(Git(self.bare), "status", author=Author("gitops-ocm", "sync@example.com"))
        files: dict[str, bytes | None] = dict.fromkeys(gone)
        for obj in objects:
            made, decided = obj if isinstance(obj, tuple) else (obj, None)
            files[path_of(ref_of(made))] = status_file(made, [decided] if decided else ()).encode()
        trailers = (("Source-Commit", self.commits[source]),) if source else ()
        committed = writer.commit(files, "Report", now=_at(minutes), trailers=trailers)
        assert committed is not None
        self.reports.append(committed.commit)

    def sync(self, applied: str, tried: str = "", *, reason: str = "Synced", **status: Any) -> Object:
        """The HubSync, with a commit in force and another that was tried."""
        ready = condition("Ready", "True" if reason == "Synced" else "False", f"{reason}: {tried or applied}")
        ready["reason"] = reason
        told = {"lastAppliedCommit": self.commits[applied], "conditions": [ready], **status}
        told["lastAttemptedCommit"] = self.commits[tried or applied]
        spec = {"repository": {"url": "https://git.example.com/fleet.git"}}
        head = {"apiVersion": "sync.gitops-ocm.io/v1alpha1", "kind": "HubSync", "metadata": {"name": "fleet"}}
        return {**head, "spec": spec, "status": told}


def _at(minutes: float) -> datetime:
    return EVENING + timedelta(minutes=minutes)


def web(version: int) -> str:
    """The set as a file."""
    template = {"workload": {"manifests": [make.config_map("web", data={"v": str(version)})]}}
    return to_yaml({**SET, "spec": {**SET["spec"], "manifestWorkTemplate": template}})


def spent(folder: Path) -> Night:
    """The night, hour by hour."""
    night = Night(folder / "fleet.git", folder / "clone")
    run(["git", "init", "-q", "--bare", "--initial-branch=main", str(night.bare)], check=True)
    namespace = to_yaml(make.namespace("fleet"))
    night.committed("Start", 0, {"hub/namespace.yaml": namespace, "works/web.yaml": web(1)})
    works = [work(name, 1, generation=1) for name in CLUSTERS]
    begun: list[Told] = [night.sync("Start"), placement(*CLUSTERS), *map(cluster, CLUSTERS), *works]
    night.told(1, *begun, source="Start")
    night.committed("Web 2", 60, {"works/web.yaml": web(2)})
    fresh = [work("c1", 2, generation=2), work("c2", 2, generation=1)]
    night.told(61, night.sync("Web 2"), *fresh, source="Web 2")
    night.told(62, work("c3", 2, generation=2, runs=False), source="Web 2")
    night.told(66, work("c2", 2, generation=2), source="Web 2")
    night.committed("A slip", 90, {"works/web.yaml": web(2) + "sepc: {}\n"})
    problem = {
        "code": "unknown-field",
        "path": "works/web.yaml",
        "line": 9,
        "message": "unknown field 'sepc'",
    }
    night.told(91, night.sync("Web 2", "A slip", reason="InvalidCommit", problems=[problem]), source="Web 2")
    night.committed("Web 1 again", 120, {"works/web.yaml": web(1)})
    night.told(121, night.sync("Web 1 again"), source="Web 1 again")
    night.told(122, *(work(name, 1, generation=3) for name in CLUSTERS), source="Web 1 again")
    night.committed("Cut", 180, {"hub/more.yaml": to_yaml(make.namespace("more"))})
    ruling = {"rule": "weekend", "verdict": "refused", "message": "it is Sunday", "path": "gitops-ocm.yaml"}
    policy = {"rulesInForce": 1, "commit": night.commits["Cut"], "allowed": False, "rulings": [ruling]}
    refused = night.sync("Web 1 again", "Cut", reason="RefusedByPolicy", policy=policy)
    night.told(181, refused, source="Web 1 again")
    night.committed("Meant", 190, {"README.md": "# hi\n"}, body="Gitops-Override: weekend: urgent")
    meant = {**ruling, "verdict": "overridden", "override": "urgent", "by": night.commits["Meant"]}
    policy = {"rulesInForce": 1, "commit": night.commits["Meant"], "allowed": True, "rulings": [meant]}
    night.told(191, night.sync("Meant", policy=policy), source="Meant")
    night.told(360, cluster("c2", available="Unknown"), source="Meant")
    night.told(405, cluster("c2"), source="Meant")
    tainted = cluster("c3", taints=[{"key": "broken", "effect": "NoSelect"}])
    gone = ["clusters/c3/works/web-0123456789.yaml"]
    night.told(420, tainted, placement("c1", "c2"), source="Meant", gone=gone)
    run(["git", "clone", "-q", str(night.bare), str(night.clone)], check=True)
    return night
