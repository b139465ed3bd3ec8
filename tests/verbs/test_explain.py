"""`explain placement`: what it says is what the hub's controllers decided, cluster by cluster."""

from __future__ import annotations

import json
import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.decide.placement.explanation import Explanation, document
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.report.placement_text import text, text_of_one
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing.clusters import memory
from gitops_ocm.testing.hub import controllers_on
from gitops_ocm.testing.objects import binding, cluster_set, managed_cluster, namespace, placement
from gitops_ocm.testing.waiting import eventually
from gitops_ocm.verbs.explain import NotExplained, Question, explain_on
from gitops_ocm.verbs.explain_at import explain_at
from gitops_ocm.verbs.fleet_at import Place
from gitops_ocm.verbs.listing import DECISIONS, PLACEMENTS
from tests.verbs.doctoring import made

pytestmark = pytest.mark.slow

TAINT = {"key": "maintenance", "effect": "NoSelect"}
PROD = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"tier": "prod"}}}}
EU = {
    "requiredClusterSelector": {
        "claimSelector": {"matchExpressions": [{"key": "region", "operator": "In", "values": ["eu"]}]}
    }
}
CANARY = {"groupName": "canary", "groupClusterSelector": {"labelSelector": {"matchLabels": {"ring": "0"}}}}
PLACEMENT = placement(
    "web",
    "fleet",
    numberOfClusters=2,
    predicates=[PROD, EU],
    decisionStrategy={"groupStrategy": {"decisionGroups": [CANARY]}},
)


@pytest.fixture
async def hub() -> AsyncIterator[Cluster]:
    """A hub whose controllers have decided the placement."""
    async with memory() as cluster, controllers_on(cluster):
        await made(
            cluster,
            namespace("fleet"),
            cluster_set("ring"),
            binding("ring", "fleet"),
            managed_cluster("c1", cluster_set="ring", labels={"tier": "prod"}),
            managed_cluster("c2", cluster_set="ring", labels={"tier": "prod", "ring": "0"}),
            managed_cluster("c3", cluster_set="ring", labels={"tier": "dev"}),
            managed_cluster("c4", cluster_set="ring", labels={"tier": "prod"}, taints=[TAINT]),
            managed_cluster("c5", cluster_set="ring", labels={"tier": "prod"}),
            managed_cluster("elsewhere", cluster_set=""),
            {**PLACEMENT, "spec": {**PLACEMENT["spec"], "tolerations": [_lost()]}},
        )
        await eventually(lambda: _decided(cluster))
        yield cluster


def _lost() -> dict[str, Any]:
    """Clusters without an agent are unreachable to the hub: that is put up with here."""
    return {"key": "cluster.open-cluster-management.io/unreachable", "operator": "Exists"}


async def _decided(cluster: Cluster) -> bool:
    found = await cluster.get(PLACEMENTS, "fleet", "web")
    return bool((found.get("status") or {}).get("numberOfSelectedClusters") == 2)


async def explained(hub: Cluster, cluster: str = "") -> Explanation:
    """The explanation now."""
    return await explain_on(hub, Question("fleet", "web", cluster), datetime.now(UTC))


async def test_an_explanation_is_the_decision(hub: Cluster) -> None:
    """The clusters it says are selected, and their groups, are those of the PlacementDecisions."""
    pages = (await hub.list(DECISIONS, "fleet")).items
    decided = {
        d["clusterName"]: page["metadata"]["labels"]["cluster.open-cluster-management.io/decision-group-name"]
        for page in pages
        for d in (page.get("status") or {}).get("decisions") or ()
    }
    told = {c["name"]: c for c in document(await explained(hub))["clusters"]}
    assert {n: c["decisionGroup"].partition(" ")[2] for n, c in told.items() if c["selected"]} == decided
    assert {n: c["why"] for n, c in told.items() if not c["selected"]} == {
        "c3": "meets no predicate",
        "c4": "taint maintenance (NoSelect) is not tolerated",
        "c5": "enough clusters with better scores",
    }


async def test_the_scores_add_up(hub: Cluster) -> None:
    """Each prioritizer's weighted scores sum up to the score that places a cluster."""
    told = document(await explained(hub))["clusters"]
    scored = [c for c in told if "score" in c]
    assert [c["place"] for c in scored] == [1, 2, 3]
    assert all(c["score"] == sum(s["weighted"] for s in c["scores"]) for c in scored)
    assert {s["name"]: s["score"] for s in scored[0]["scores"]} == {"Balance": 100, "Steady": 100}


async def test_what_is_said_of_one_cluster(hub: Cluster) -> None:
    """With --cluster every predicate says what the cluster lacks, each taint that it is not tolerated."""
    lines = text_of_one(await explained(hub, "c3")).splitlines()
    assert "Cluster c3: not selected: meets no predicate" in lines
    assert "  predicate 1: not met: label tier=prod: the cluster has 'dev'" in lines
    assert "  predicate 2: not met: claim region=eu: the cluster has none" in lines
    tainted = text_of_one(await explained(hub, "c4")).splitlines()
    assert "  taint maintenance (NoSelect) is not tolerated" in tainted
    chosen = text_of_one(await explained(hub, "c2")).splitlines()
    assert "Cluster c2: selected, in decision group 0 canary" in chosen
    assert "  Steady: score 100 × weight 1 = 100 (chosen already)" in chosen


@pytest.mark.parametrize(
    ("cluster", "why"),
    [("elsewhere", "it is in none of the cluster sets ring"), ("nobody", "there is no such cluster")],
)
async def test_a_cluster_that_is_no_candidate(hub: Cluster, cluster: str, why: str) -> None:
    """Who could not be chosen at all is told so."""
    assert f"Cluster {cluster}: not selected: {why}" in text_of_one(await explained(hub, cluster))


async def test_the_table_has_a_line_for_each_candidate(hub: Cluster) -> None:
    """Best first: those that are selected, those with lower scores, those that do not qualify."""
    lines = text(await explained(hub)).splitlines()
    at = next(n for n, line in enumerate(lines) if line.startswith("CLUSTER"))
    assert [line.split()[:2] for line in lines[at + 1 :]] == [
        ["c1", "yes"],
        ["c2", "yes"],
        ["c5", "no"],
        ["c3", "no"],
        ["c4", "no"],
    ]
    assert "  2 of 5 candidates selected" in lines


async def test_a_placement_that_is_not_there(hub: Cluster) -> None:
    """It is named, with where to look."""
    with pytest.raises(NotExplained, match="no placement nothing in the namespace fleet"):
        await explain_on(hub, Question("fleet", "nothing"), datetime.now(UTC))


async def test_a_program_reads_the_whole_as_json(hub: Cluster) -> None:
    """What a program reads of the whole is what the library gives."""
    told = json.loads(json.dumps(document(await explained(hub))))
    assert told["placement"] == {"namespace": "fleet", "name": "web"}
    assert told["selectedClusters"] == 2
    assert [c["reason"] for c in told["conditions"]] == ["AllDecisionsScheduled", "Succeedconfigured"]


def test_a_commit_is_explained_without_a_hub(tmp_path: Path) -> None:
    """Desired state of a commit and the status branch's claims decide; another commit decides otherwise."""
    files = [binding("ring", "fleet"), cluster_set("ring"), namespace("fleet")]
    files += [managed_cluster(name, cluster_set="ring") for name in ("c1", "c2")]
    spec = {"predicates": [EU]}
    first = _committed(tmp_path, "main", {"hub/all.yaml": [*files, placement("web", "fleet", **spec)]})
    told = managed_cluster("c1", cluster_set="ring")
    told["status"] = {"clusterClaims": [{"name": "region", "value": "eu"}]}
    _committed(tmp_path, "status", {"clusters/c1/cluster.yaml": [told]}, fresh=True)
    _git(tmp_path, "checkout", "-q", "-f", "main")
    _committed(tmp_path, "main", {"hub/all.yaml": [*files, placement("web", "fleet")]})
    question, now = Question("fleet", "web"), datetime.now(UTC)
    chosen = {
        revision: _chosen(explain_at(Place(tmp_path, revision), question, now))
        for revision in (first, "main")
    }
    assert chosen == {first: ["c1"], "main": ["c1", "c2"]}


def test_a_commit_without_an_account_of_the_fleet(tmp_path: Path) -> None:
    """Where no status branch tells of the clusters, it is said what is missing; where it does, nothing is."""
    files = [binding("ring", "fleet"), cluster_set("ring"), namespace("fleet")]
    files += [managed_cluster("c1", cluster_set="ring"), placement("web", "fleet", predicates=[EU])]
    _committed(tmp_path, "main", {"hub/all.yaml": files})
    question, now = Question("fleet", "web"), datetime.now(UTC)
    alone = explain_at(Place(tmp_path, "main"), question, now)
    assert alone.unknown == ("status tells of no clusters: their claims, resources and taints are missing",)
    assert f"  Not known: {alone.unknown[0]}\n" in text(alone)
    told = managed_cluster("c1", cluster_set="ring")
    _committed(tmp_path, "status", {"clusters/c1/cluster.yaml": [told]}, fresh=True)
    assert explain_at(Place(tmp_path, "main"), question, now).unknown == ()


def _chosen(explanation: Explanation) -> list[str]:
    return [verdict.cluster for verdict in explanation.verdicts if verdict.selected]


def _committed(folder: Path, branch: str, files: dict[str, list[Any]], *, fresh: bool = False) -> str:
    """Commit objects as files on a branch, the first of a repository, or one that begins with nothing."""
    if not (folder / ".git").exists():
        _git(folder, "init", "-q", "-b", branch)
        (folder / "gitops-ocm.yaml").write_text(
            "apiVersion: config.gitops-ocm.io/v1alpha1\nkind: FleetRepository\n"
        )
    elif fresh:
        _git(folder, "checkout", "-q", "--orphan", branch)
        _git(folder, "rm", "-rfq", ".")
    for name, objects in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("---\n".join(to_yaml(obj) for obj in objects))
    _git(folder, "add", "-A")
    _git(folder, "-c", "user.name=t", "-c", "user.email=t@example.com", "commit", "-qm", "state")
    return _git(folder, "rev-parse", "HEAD")


def _git(folder: Path, *args: str) -> str:
    return subprocess.run(
        ["git", *args], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()
