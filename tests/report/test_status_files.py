"""Status files: where they are, what they say, and what never gets into them."""

from __future__ import annotations

import copy
from typing import Any

import pytest
import yaml

from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.report.agent_files import agent_file, agent_path, folded_path, generation_of
from gitops_ocm.report.redaction import redacted_text
from gitops_ocm.report.status_files import cluster_of, owner_of_decision, path_of, ref_at, status_file
from gitops_ocm.report.trimmed import without_spec

CLUSTER = "cluster.open-cluster-management.io"
WHEN = "2026-01-01T00:00:00Z"


def condition(type: str, status: str = "True", **more: Any) -> Object:
    return {"type": type, "status": status, "reason": f"{type}Reason", "message": f"{type} it is",
            "lastTransitionTime": WHEN, "observedGeneration": 2, **more}  # fmt: skip


MANAGED_CLUSTER: Object = {
    "apiVersion": f"{CLUSTER}/v1",
    "kind": "ManagedCluster",
    "metadata": {
        "name": "c1",
        "uid": "u",
        "resourceVersion": "17",
        "generation": 3,
        "managedFields": [{"manager": "x"}],
        "labels": {"region": "eu"},
        "annotations": {
            "sync.gitops-ocm.io/commit": "abc",
            "sync.gitops-ocm.io/path": "c.yaml",
            "other": "x",
        },
    },
    "spec": {"hubAcceptsClient": True, "leaseDurationSeconds": 60, "managedClusterClientConfigs": [
        {"url": "https://c1", "caBundle": "Zm9v"}]},
    "status": {
        "conditions": [condition("ManagedClusterJoined"), condition("HubAcceptedManagedCluster")],
        "version": {"kubernetes": "v1.35.4"},
        "clusterClaims": [{"name": "z", "value": "1"}, {"name": "platform", "value": "kind"}],
    },
}  # fmt: skip

WORK: Object = {
    "apiVersion": "work.open-cluster-management.io/v1",
    "kind": "ManifestWork",
    "metadata": {"name": "mw-01", "namespace": "c1"},
    "spec": {"workload": {"manifests": [{"kind": "Secret", "stringData": {"p": "hunter2"}}]}},
    "status": {
        "conditions": [condition("Applied"), condition("Available", "False")],
        "resourceStatus": {
            "manifests": [
                {
                    "resourceMeta": {"ordinal": 1, "version": "v1", "kind": "Secret", "name": "s"},
                    "conditions": [condition("Applied"), condition("Available")],
                    "statusFeedback": {
                        "values": [{"name": "pw", "fieldValue": {"type": "String", "string": "hunter2"}}]
                    },
                },
                {
                    "resourceMeta": {"ordinal": 0, "group": "apps", "version": "v1", "kind": "Deployment",
                                     "name": "web", "namespace": "default", "resource": "deployments"},
                    "conditions": [condition("Applied"), condition("Available", "False")],
                    "statusFeedback": {"values": [
                        {"name": "ReadyReplicas", "fieldValue": {"type": "Integer", "integer": 0}},
                        {"name": "Up", "fieldValue": {"type": "Boolean", "boolean": False}},
                        {"name": "Raw", "fieldValue": {"type": "JsonRaw", "jsonRaw": "x" * 1000}},
                    ]},
                },
            ]
        },
    },
}  # fmt: skip


@pytest.mark.parametrize(
    ("ref", "path"),
    [
        (Ref(CLUSTER, "ManagedCluster", "", "c1"), "clusters/c1/cluster.yaml"),
        (Ref("work.open-cluster-management.io", "ManifestWork", "c1", "w.x"), "clusters/c1/works/w.x.yaml"),
        (
            Ref("addon.open-cluster-management.io", "ManagedClusterAddOn", "c1", "a"),
            "clusters/c1/addons/a.yaml",
        ),
        (Ref(CLUSTER, "Placement", "n", "p"), "placements/n/p.yaml"),
        (
            Ref("work.open-cluster-management.io", "ManifestWorkReplicaSet", "n", "r"),
            "replicasets/n/r.yaml",
        ),
        (Ref("addon.open-cluster-management.io", "ClusterManagementAddOn", "", "a"), "addons/a.yaml"),
        (Ref("sync.gitops-ocm.io", "HubSync", "", ""), "sync.yaml"),
    ],
)
def test_each_kind_has_its_place(ref: Ref, path: str) -> None:
    """The layout of the status branch, there and back."""
    assert path_of(ref) == path
    assert ref_at(path) == ref


@pytest.mark.parametrize(
    "path", ["README.md", "clusters/c1/agent.yaml", "clusters/c1", "placements/p.yaml", ""]
)
def test_other_files_are_nobodys(path: str) -> None:
    """A file that tells of no hub object is left alone."""
    assert ref_at(path) is None


def test_other_kinds_have_no_file() -> None:
    """A ConfigMap is not reported."""
    assert path_of(Ref("", "ConfigMap", "n", "a")) == ""


def test_a_cluster_file_says_what_a_person_cares_about() -> None:
    """Conditions by type, version, claims by name, source; nothing a server only keeps for itself."""
    assert yaml.safe_load(status_file(MANAGED_CLUSTER)) == {
        "apiVersion": f"{CLUSTER}/v1",
        "kind": "ManagedCluster",
        "metadata": {
            "name": "c1",
            "labels": {"region": "eu"},
            "annotations": {"sync.gitops-ocm.io/commit": "abc", "sync.gitops-ocm.io/path": "c.yaml"},
        },
        "spec": {"hubAcceptsClient": True},
        "status": {
            "conditions": [
                {k: v for k, v in condition(t).items() if k != "observedGeneration"}
                for t in ("HubAcceptedManagedCluster", "ManagedClusterJoined")
            ],
            "version": {"kubernetes": "v1.35.4"},
            "clusterClaims": [{"name": "platform", "value": "kind"}, {"name": "z", "value": "1"}],
        },
    }


def noisy(obj: Object) -> Object:
    """The same object after a heartbeat: only what nobody cares about has moved."""
    other = copy.deepcopy(obj)
    other["metadata"] |= {"resourceVersion": "99", "uid": "v", "managedFields": [{"time": "later"}]}
    for found in other["status"]["conditions"]:
        found["lastHeartbeatTime"] = "later"
    other["status"]["conditions"].reverse()
    return other


@pytest.mark.parametrize("obj", [MANAGED_CLUSTER, WORK], ids=["cluster", "work"])
def test_a_heartbeat_changes_no_file(obj: Object) -> None:
    """Order of conditions, heartbeat times and server metadata do not show."""
    assert status_file(noisy(obj)) == status_file(obj)


def test_a_work_file_tells_each_manifest_in_order() -> None:
    """Manifests in spec order with conditions and feedback, a summary, and the generation it speaks of."""
    status = yaml.safe_load(status_file(WORK))["status"]
    assert [m["resourceMeta"]["kind"] for m in status["manifests"]] == ["Deployment", "Secret"]
    assert status["summary"] == {"total": 2, "applied": 2, "available": 1}
    assert status["observedGeneration"] == 2
    feedback = status["manifests"][0]["feedback"]
    assert feedback["ReadyReplicas"] == 0
    assert feedback["Up"] is False
    assert len(feedback["Raw"]) < 300
    assert feedback["Raw"].endswith("(1000 characters)")


def test_no_secret_value_gets_into_a_file() -> None:
    """Neither the manifests nor what a feedback rule reads out of a Secret become a commit."""
    assert "hunter2" not in status_file(WORK)


def spec_of(text: str) -> str:
    """The digest a work's file carries."""
    found: str = yaml.safe_load(text)["metadata"]["annotations"]["status.gitops-ocm.io/spec"]
    return found


def test_a_work_file_tells_which_spec_it_has() -> None:
    """Two specs are told apart, by the hub and by an agent alike, but nobody can guess a secret from it."""
    changed, secret, defaulted = (copy.deepcopy(WORK) for _ in range(3))
    changed["spec"]["workload"]["manifests"][0]["kind"] = "ConfigMap"
    secret["spec"]["workload"]["manifests"][0] |= {"apiVersion": "v1"}
    other = copy.deepcopy(secret)
    other["spec"]["workload"]["manifests"][0]["stringData"]["p"] = "hunter3"
    defaulted["spec"]["manifestConfigs"] = []
    assert spec_of(status_file(changed)) != spec_of(status_file(WORK))
    assert spec_of(status_file(secret)) == spec_of(status_file(other))
    assert spec_of(status_file(defaulted)) == spec_of(agent_file(WORK)) == spec_of(status_file(WORK))
    assert status_file(without_spec(WORK)) == status_file(WORK)


def test_a_rollout_is_told() -> None:
    """A replica set's file has its conditions and counts, an add-on's how far each placement is."""
    replica_set = {
        "apiVersion": "work.open-cluster-management.io/v1alpha1",
        "kind": "ManifestWorkReplicaSet",
        "metadata": {"name": "r", "namespace": "n"},
        "spec": {"placementRefs": [{"name": "p"}], "manifestWorkTemplate": {"workload": {"manifests": [{}]}}},
        "status": {"conditions": [condition("PlacementRolledOut", "False")], "summary": {"total": 3}},
    }
    told = yaml.safe_load(status_file(replica_set))
    assert told["spec"] == {"placementRefs": [{"name": "p"}]}
    assert (told["status"]["summary"], told["status"]["conditions"][0]["status"]) == ({"total": 3}, "False")
    progress = {
        "name": "p",
        "namespace": "n",
        "conditions": [condition("Progressing")],
        "configReferences": [],
    }
    addon = {
        "apiVersion": "addon.open-cluster-management.io/v1beta1",
        "kind": "ClusterManagementAddOn",
        "metadata": {"name": "a"},
        "status": {"installProgressions": [progress]},
    }
    (found,) = yaml.safe_load(status_file(addon))["status"]["installProgressions"]
    assert (found["name"], found["conditions"][0]["type"]) == ("p", "Progressing")


KEY = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE\n-----END EC PRIVATE KEY-----"


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        (f"cannot use {KEY} here", "MHcCAQEE"),
        ("Authorization: Bearer abcdef123456", "abcdef123456"),
        ("token eyJhbGciOiJI.eyJzdWIiOiIx.c2lnbmF0dXJl rejected", "eyJzdWIiOiIx"),
        ("cannot pull https://bob:s3cret@git.example.com/x", "s3cret"),
        ('env DB_PASSWORD=hunter2 {"apiToken": "xyzzy"}', "hunter2"),
        ('env DB_PASSWORD=hunter2 {"apiToken": "xyzzy"}', "xyzzy"),
        ("key AKIAABCDEFGHIJKLMNOP used", "AKIAABCDEFGHIJKLMNOP"),
    ],
)
def test_forms_of_secrets_are_redacted(text: str, gone: str) -> None:
    """What has the form of a key, token or password does not survive; the rest of the text does."""
    found = redacted_text(text)
    assert gone not in found
    assert "<redacted>" in found
    assert text.split(" ")[0] in found


def test_ordinary_text_is_kept() -> None:
    """Messages of OCM's own are not mistaken for secrets."""
    for text in ("Apply manifest work complete", 'secrets "a" not found', "Failed: token expired"):
        assert redacted_text(text) == text


def test_a_placement_tells_its_decisions() -> None:
    """Clusters of all slices, sorted, once."""
    placement = {
        "apiVersion": f"{CLUSTER}/v1beta1",
        "kind": "Placement",
        "metadata": {"name": "p", "namespace": "n"},
        "spec": {"numberOfClusters": 2},
        "status": {"numberOfSelectedClusters": 2, "conditions": [condition("PlacementSatisfied")]},
    }
    decision = {
        "apiVersion": f"{CLUSTER}/v1beta1",
        "kind": "PlacementDecision",
        "metadata": {"name": "p-1", "namespace": "n", "labels": {f"{CLUSTER}/placement": "p"}},
        "status": {"decisions": [{"clusterName": "c2"}, {"clusterName": "c1"}]},
    }
    assert owner_of_decision(decision) == ref_of(placement)
    told = yaml.safe_load(status_file(placement, [decision, decision]))
    assert told["status"]["decisions"] == ["c1", "c2"]
    assert told["spec"] == {"numberOfClusters": 2}


def test_a_sync_file_has_no_inventory_and_no_password() -> None:
    """The sync's file names commit, conditions and problems; bookkeeping and credentials stay out."""
    text = status_file(
        {
            "apiVersion": "sync.gitops-ocm.io/v1alpha1",
            "kind": "HubSync",
            "metadata": {"name": "fleet"},
            "spec": {"repository": {"url": "https://u:pw@h/r", "ref": {"branch": "main"}, "path": "."}},
            "status": {
                "lastAppliedCommit": "a" * 40,
                "inventory": {"kinds": [{"group": "x.y", "kind": "Z", "version": "v1", "count": 1}]},
                "problems": [{"code": "c", "message": "m", "path": "p", "line": 3}],
            },
        }
    )
    assert "pw@" not in text
    assert "x.y" not in text
    assert yaml.safe_load(text)["status"]["problems"][0]["line"] == 3


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("cluster.yaml", "clusters/c1/agent.yaml"),
        ("applied/hash-mw-01.yaml", "clusters/c1/applied/hash-mw-01.yaml"),
        ("applied/../cluster.yaml", ""),
        ("applied.yaml", ""),
        ("works/mw-01.yaml", "clusters/c1/works/mw-01.yaml"),
        ("works/../../c2/cluster.yaml", ""),
        ("works/a/b.yaml", ""),
        ("works/.yaml", ""),
        ("works/A.yaml", ""),
        ("other.yaml", ""),
    ],
)
def test_an_agent_reaches_only_its_own_clusters_files(path: str, target: str) -> None:
    """Files of an agent's branch go to its own cluster's folder, or nowhere."""
    assert folded_path("c1", path) == target
    assert not target or cluster_of(target) == "c1"


def test_the_newer_account_of_a_work_wins() -> None:
    """The higher observedGeneration is shown; in a tie the hub's; a flood of bytes never."""
    newer = copy.deepcopy(WORK)
    newer["status"]["conditions"][0]["observedGeneration"] = 3
    hub, agent = status_file(WORK), agent_file(newer)
    assert agent_path(ref_of(newer)) == "works/mw-01.yaml"
    assert generation_of(agent) > generation_of(hub)
    assert generation_of("kind: ManifestWork\n") == 0


def test_what_is_held_is_told_in_order() -> None:
    """A file for each AppliedManifestWork: what it holds on the cluster, sorted, without uids."""
    obj = {
        "apiVersion": "work.open-cluster-management.io/v1", "kind": "AppliedManifestWork",
        "metadata": {"name": "h-a"}, "spec": {"manifestWorkName": "a", "hubHash": "h"},
        "status": {"appliedResources": [
            {"version": "v1", "resource": "pods", "namespace": "d", "name": "b", "uid": "1"},
            {"version": "v1", "resource": "pods", "namespace": "d", "name": "a", "uid": "2"}]},
    }  # fmt: skip
    text = agent_file(obj)
    assert agent_path(ref_of(obj)) == "applied/h-a.yaml"
    told = yaml.safe_load(text)
    assert told["spec"] == {"manifestWorkName": "a"}
    assert [r["name"] for r in told["status"]["appliedResources"]] == ["a", "b"]
    assert "uid" not in text
