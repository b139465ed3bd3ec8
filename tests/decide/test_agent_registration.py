"""Registration from the agent's side: what to ask for, when, what still counts, and what is reported."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.decide.agent import certificates as certs
from gitops_ocm.decide.agent.addon_registration import credentials_of, refresh_at
from gitops_ocm.decide.agent.bootstrap import (
    ClientConfig,
    Held,
    HubAddress,
    new_cluster,
    why_bootstrap,
    why_leave,
    with_client_configs,
)
from gitops_ocm.decide.agent.certificates import Answer, Certificate, Subject, for_addon, for_cluster
from gitops_ocm.decide.agent.default_claims import DefaultClaims, platform, product
from gitops_ocm.decide.agent.facts import facts
from gitops_ocm.decide.agent.managed_namespaces import ManagedNamespaces
from gitops_ocm.decide.contract import Apply, MergePatch, Result, Side
from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.decide.settings import AgentSettings, gated
from gitops_ocm.klusterlet.bootstrap import Introduction
from gitops_ocm.klusterlet.keys import kept_request, new_request
from gitops_ocm.klusterlet.kubeconfig import kubeconfig_text, read_address
from gitops_ocm.objects.conditions import micro_timestamp
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
WANTED = for_cluster("c1", "agent")
HUB = HubAddress("hub", "https://hub:6443", b"ca", "")
CERTIFICATE = Certificate(WANTED.subject, NOW - timedelta(days=1), NOW + timedelta(days=29))
NOBODY = Subject("nobody", frozenset())
HELD = Held(HUB, CERTIFICATE, "c1", "agent")

COUNTS = [
    (HELD, HUB, ""),
    (HELD, None, ""),
    (replace(HELD, address=None), HUB, "no hub kubeconfig"),
    (replace(HELD, certificate=None), HUB, "no certificate"),
    (replace(HELD, cluster_name="c2"), HUB, "for the cluster c2"),
    (replace(HELD, certificate=replace(CERTIFICATE, not_after=NOW)), HUB, "expired"),
    (
        replace(HELD, certificate=replace(CERTIFICATE, subject=Subject("x", frozenset()))),
        HUB,
        "another cluster",
    ),
    (HELD, replace(HUB, server="https://other"), "another server"),
    (HELD, replace(HUB, ca=b"other"), "another certificate authority"),
    (HELD, replace(HUB, proxy_url="http://proxy"), "another proxy"),
    (HELD, replace(HUB, name="other"), "another cluster entry"),
]


@pytest.mark.parametrize(("held", "hub", "why"), COUNTS)
def test_what_is_kept_counts_or_does_not(held: Held, hub: HubAddress | None, why: str) -> None:
    """OCM's rules of a valid hub kubeconfig, each with its reason."""
    found = why_bootstrap(held, WANTED, "c1", hub, NOW)
    assert (why in found) if why else not found


@settings(derandomize=True, deadline=None)
@given(st.integers(600, 10**8), st.integers(0, 10**6))
def test_renewal_falls_into_the_last_quarter(life: int, who: int) -> None:
    """Whoever it is and however long it lives: 0.20 to 0.25 of the life is left, the same at each look."""
    wanted = for_cluster(f"c{who}", "agent")
    held = Certificate(wanted.subject, NOW, NOW + timedelta(seconds=life))
    due = certs.renew_at(wanted, held, NOW)
    assert 0.2 <= (held.not_after - due).total_seconds() / life <= 0.25
    assert due == certs.renew_at(wanted, held, NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    "held",
    [None, replace(CERTIFICATE, not_after=NOW), replace(CERTIFICATE, subject=Subject("else", frozenset()))],
)
def test_what_does_not_do_is_replaced_at_once(held: Certificate | None) -> None:
    """No certificate, one that is over, or somebody else's."""
    assert certs.renew_at(WANTED, held, NOW) == NOW


def test_requests_are_told_apart_by_what_they_carry() -> None:
    """An agent knows its own request by its bytes; others of its cluster are not its own."""
    mine, other = new_request(WANTED), new_request(WANTED)
    there = [
        {**certs.request_object(WANTED, request.request), "metadata": {"name": name}}
        for name, request in (("b", other), ("a", mine), ("c", mine))
    ]
    found = certs.own_request(there, mine.request)
    assert found is not None
    assert found["metadata"]["name"] == "a"
    assert certs.own_request(there[:1], mine.request) is None


@pytest.mark.parametrize(
    ("status", "answer"),
    [
        ({}, Answer.PENDING),
        ({"conditions": [{"type": "Approved", "status": "True"}]}, Answer.PENDING),
        ({"conditions": [{"type": "Approved"}], "certificate": "eA=="}, Answer.ISSUED),
        ({"conditions": [{"type": "Denied", "status": "True", "message": "no"}]}, Answer.REFUSED),
        ({"conditions": [{"type": "Failed", "message": "no"}]}, Answer.REFUSED),
        ({"conditions": [{"type": "Denied", "status": "False"}]}, Answer.PENDING),
    ],
)
def test_what_became_of_a_request(status: Object, answer: Answer) -> None:
    """Approved is not yet issued, and a denial says why."""
    found, why = certs.answer_of({"metadata": {"name": "r"}, "status": status})
    assert found is answer
    assert bool(why) is (answer is Answer.REFUSED)


def test_selectors_keep_addons_and_their_cluster_apart() -> None:
    """The flood guard of a cluster does not count its add-ons' requests, nor the other way round."""
    assert WANTED.selector == (
        "open-cluster-management.io/cluster-name=c1,!open-cluster-management.io/addon-name"
    )
    assert "addon-name=probe" in for_addon("c1", "probe", {}).selector


def test_a_key_that_is_kept_is_taken_up_for_the_same_subject_alone() -> None:
    """A kept request survives a restart, and nothing of it is shown."""
    made = new_request(for_addon("c1", "probe", {"groups": ["g"], "organizationUnits": ["u"]}))
    again = kept_request(made.text, for_addon("c1", "probe", {"groups": ["g"], "organizationUnits": ["u"]}))
    assert again == made
    assert kept_request(made.text, WANTED) is None
    assert kept_request(b"torn", WANTED) is None
    assert "PRIVATE" not in repr(made)


@pytest.mark.parametrize(
    "address",
    [
        HUB,
        HubAddress("h", "https://h", b"", "http://user:pass@proxy:3128", "name", True),
    ],
)
def test_a_kubeconfig_that_is_written_can_be_read(address: HubAddress) -> None:
    """Everything by which a hub is known comes back; with a token as with a certificate."""
    assert read_address(kubeconfig_text(address)) == address
    assert read_address(kubeconfig_text(address, token=True)) == address
    assert read_address(b"kind: Config") is None


def test_a_new_cluster_asks_to_be_let_in() -> None:
    """Only annotations meant for agents are told; nobody accepts themselves."""
    made = new_cluster(
        "c1",
        {"agent.open-cluster-management.io/a": "1", "other": "2"},
        [ClientConfig("https://c1", b"ca")],
    )
    assert made["metadata"] == {"name": "c1", "annotations": {"agent.open-cluster-management.io/a": "1"}}
    assert made["spec"] == {
        "hubAcceptsClient": False,
        "managedClusterClientConfigs": [{"url": "https://c1", "caBundle": "Y2E="}],
    }


@pytest.mark.parametrize(
    ("have", "told", "then"),
    [
        (["https://a"], ["https://a"], None),
        (["https://a"], ["https://b"], ["https://a", "https://b"]),
        (["https://a", "https://b"], ["https://b"], None),
        (["https://a", "https://b"], ["https://c", "https://b"], ["https://a", "https://b", "https://c"]),
        ([], ["https://a"], ["https://a"]),
        (["https://a"], [], None),
    ],
)
def test_a_cluster_is_told_how_else_it_is_reached(
    have: list[str], told: list[str], then: list[str] | None
) -> None:
    """What a cluster made beforehand lacks is added; what others say of it stays."""
    spec = {"managedClusterClientConfigs": [{"url": url, "caBundle": "eA=="} for url in have]}
    changed = with_client_configs({"metadata": {}, "spec": spec}, [ClientConfig(url) for url in told])
    if then is None:
        assert changed is None
        return
    assert changed is not None
    found = changed["spec"]["managedClusterClientConfigs"]
    assert [c["url"] for c in found] == then
    assert found[: len(have)] == spec["managedClusterClientConfigs"]


def test_the_managed_clusters_own_ca_is_told() -> None:
    """Servers without a CA of their own are trusted as the cluster's API server is."""
    introduction = Introduction({}, (ClientConfig("https://a"), ClientConfig("https://b", b"own")))
    assert [c.ca for c in introduction.trusting(b"cluster").client_configs] == [b"cluster", b"own"]


@pytest.mark.parametrize(
    ("accepted", "renewed", "now", "leaves"),
    [
        (True, 0, 599, False),
        (True, 0, 600, True),
        (True, 300, 899, False),
        (True, 300, 900, True),
        (True, None, 600, True),
        (False, 0, 1, True),
        (None, None, 599, False),
    ],
)
def test_a_hub_is_left(accepted: bool | None, renewed: int | None, now: int, leaves: bool) -> None:
    """For not accepting the cluster, at once; for being out of reach, after the time that was given."""
    cluster = None if accepted is None else make.managed_cluster("c1", accepted=accepted)
    lease = None
    if renewed is not None:
        lease = {"spec": {"renewTime": micro_timestamp(NOW + timedelta(seconds=renewed))}}
    found = why_leave(cluster, lease, since=NOW, timeout=600, now=NOW + timedelta(seconds=now))
    assert bool(found) is leaves


ALPHA = [{"signerName": "kubernetes.io/kube-apiserver-client", "subject": {"user": "u", "groups": ["g"]}}]
BETA = [{"type": "kubeClient", "kubeClient": {"subject": {"user": "u", "groups": ["g"]}}}]


@pytest.mark.parametrize(("version", "registrations"), [("v1alpha1", ALPHA), ("v1beta1", BETA)])
def test_addons_of_both_versions_get_the_same(version: str, registrations: list[Any]) -> None:
    """Subject and Secret do not depend on which version the hub serves."""
    addon = make.cluster_addon("probe", "c1")
    addon |= {
        "apiVersion": f"addon.open-cluster-management.io/{version}",
        "status": {"namespace": "home", "registrations": registrations},
    }
    (found,) = credentials_of(addon, "csr")
    assert (found.namespace, found.secret) == ("home", "probe-hub-kubeconfig")
    assert isinstance(found.how, certs.Wanted)
    assert found.how.subject == Subject("u", frozenset({"g"}))
    assert credentials_of(addon, "token") == ()


def test_a_token_is_replaced_with_a_fifth_left() -> None:
    """A year's token: after 292 days."""
    assert refresh_at(NOW, NOW + timedelta(days=365)) == NOW + timedelta(days=292)


def _worlds(*spoke: Object, **status: object) -> WorldView:
    hub, there = World(load_catalog()), World(load_catalog())
    accepted = {"type": "HubAcceptedManagedCluster", "status": "True", "reason": "x", "message": ""}
    hub.put({**make.managed_cluster("c1"), "status": {"conditions": [accepted], **status}})
    for obj in spoke:
        there.put(obj)
    return WorldView({Side.HUB: hub, Side.SPOKE: there}, {})


SETTINGS = AgentSettings("c1", hub_server="https://hub")
LABEL = f"clusterset.open-cluster-management.io/{SETTINGS.hub_hash[:63]}"


def test_managed_namespaces_are_made_marked_and_let_go() -> None:
    """Wanted ones get the label, dropped ones lose its `true`; each failure is its own namespace's."""
    dropped = make.namespace("old")
    dropped["metadata"]["labels"] = {LABEL: "true"}
    listed = [{"name": "a", "clusterSet": "s"}, {"name": "b", "clusterSet": "s"}]
    view = _worlds(dropped, managedNamespaces=listed)
    found = ManagedNamespaces(SETTINGS)(view, cluster_ref("c1"), NOW)
    writes = [w for w in found.actions if isinstance(w, Apply)]
    assert [(w.obj["metadata"]["name"], w.obj["metadata"]["labels"]) for w in writes] == [
        ("a", {LABEL: "true"}),
        ("b", {LABEL: "true"}),
        ("old", {LABEL: "false"}),
    ]
    assert found.then is not None
    failed = Result(writes[1], error=ApiError("Forbidden", "not yours"))
    said = found.then([Result(writes[0], writes[0].obj), failed, Result(writes[2], writes[2].obj)])
    (patch,) = said.actions
    assert isinstance(patch, MergePatch)
    assert [c["conditions"][0]["reason"] for c in patch.body["status"]["managedNamespaces"]] == [
        "NamespaceApplied",
        "NamespaceApplyFailed",
    ]


@pytest.mark.parametrize(
    ("version", "provider", "labels", "expected"),
    [
        ("v1.35.4-eks-1", "aws:///zone/i-1", {}, ("AWS", "EKS")),
        ("v1.35.4-gke.100", "gce://project/zone/i", {}, ("GCP", "GKE")),
        ("v1.35.4", "azure:///x", {"kubernetes.azure.com/cluster": "c"}, ("Azure", "AKS")),
        ("v1.35.4+k3s1", "k3s://n", {}, ("Other", "K3S")),
        ("v1.35.4", "kind://docker/kind/n", {}, ("KinD", "Other")),
        ("v1.35.4", "", {}, ("Other", "Other")),
    ],
)
def test_what_a_cluster_shows_of_itself(
    version: str, provider: str, labels: dict[str, str], expected: tuple[str, str]
) -> None:
    """Platform by the nodes' provider, product by the version or a label."""
    nodes = [{"metadata": {"name": "n", "labels": labels}, "spec": {"providerID": provider}}]
    assert (platform(nodes), product(version, nodes, openshift=False)) == expected
    assert product(version, nodes, openshift=True) == "OpenShift"


def test_default_claims_leave_others_alone() -> None:
    """A claim that somebody else made is not touched; what is made already is not written again."""
    system = {**make.namespace("kube-system")}
    system["metadata"]["uid"] = "the-uid"
    own = make.cluster_claim("kubeversion.open-cluster-management.io", "v1.35.4")
    own["metadata"]["labels"] = {"gitops-ocm.io/default-claim": "true"}
    theirs = make.cluster_claim("platform.open-cluster-management.io", "Mine")
    view = _worlds(system, own, theirs, facts(version="v1.35.4"))
    found = DefaultClaims()(view, cluster_ref("c1"), NOW)
    names = [w.obj["metadata"]["name"] for w in found.actions if isinstance(w, Apply)]
    assert names == ["id.k8s.io", "product.open-cluster-management.io"]


def test_gates_by_their_names() -> None:
    """OCM's names set what they mean here; gates of other parts set nothing."""
    given = {"ClusterClaim": False, "AddonManagement": False, "MultipleHubs": True}
    assert gated(given) == {"cluster_claims": False, "addon_management": False}
