"""Which requests for certificates the hub approves by itself, and what it asks before it does."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.api.cluster import GROUP_PREFIX, HUB_ACCEPTED, MANAGED_CLUSTERS_GROUP
from gitops_ocm.decide.contract import DONE, Create, Outcome, Result, Side, Update
from gitops_ocm.decide.csr_approval import LOOK_AGAIN, CsrApproval, accepted_now, cluster_subject, of_cluster
from gitops_ocm.decide.kinds import CSR
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, ref_of
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.csrs import agent_subject, cluster_csr, separate

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
OWN, COMMON = f"{GROUP_PREFIX}c1", MANAGED_CLUSTERS_GROUP
AGENT = f"{OWN}:agent1"
BOOTSTRAP = "system:serviceaccount:open-cluster-management:agent-registration-bootstrap"
APPROVED = {
    "type": "Approved",
    "status": "True",
    "reason": "AutoApprovedByHubCSRApprovingController",
    "message": "Auto approving Managed cluster agent certificate after SubjectAccessReview.",
}


def reconciled(csr: Object, *others: Object, settings: HubSettings | None = None) -> Outcome:
    """What the row answers for a request on a hub that has it."""
    world = World(load_catalog(), namespaces=[])
    for obj in (csr, *others):
        world.put(obj)
    return CsrApproval(settings or HubSettings())(WorldView({Side.HUB: world}, {}), ref_of(csr), NOW)


def answered(outcome: Outcome, *, allowed: bool | None = None, error: ApiError | None = None) -> Outcome:
    """What the row does once its question was answered."""
    assert outcome.then is not None
    (asked,) = outcome.actions
    obj = {"status": {"allowed": allowed}} if error is None else None
    return outcome.then([Result(asked, obj=obj, error=error)])


def approvals(outcome: Outcome) -> list[Any]:
    """The conditions that an outcome writes through `/approval`."""
    updates = [w for w in outcome.actions if isinstance(w, Update) and w.subresource == "approval"]
    return [update.obj["status"]["conditions"] for update in updates]


@pytest.mark.parametrize(
    ("subject", "known"),
    [
        (agent_subject("c1"), True),
        (separate(agent_subject("c1")), True),
        (((("O", OWN),), (("CN", AGENT),)), True),
        (((("O", OWN), ("OU", "any")), (("CN", AGENT),)), True),
        (((("O", OWN), ("O", COMMON), ("O", "system:masters")), (("CN", AGENT),)), False),
        (((("O", COMMON),), (("CN", AGENT),)), False),
        (((("CN", AGENT),),), False),
        (((("O", OWN),), (("O", f"{GROUP_PREFIX}c2"),), (("CN", AGENT),)), False),
        (((("O", OWN),), (("CN", f"{GROUP_PREFIX}c2:agent1"),)), False),
        (((("O", OWN),), (("CN", OWN),)), False),
        (((("O", OWN),), (("CN", f"{OWN}:"),)), False),
        (((("O", OWN),), (("CN", f"{OWN}:a:b"),)), False),
        (((("O", OWN),), (("CN", f"{OWN}x:a"),)), False),
        (((("O", OWN),), (("CN", "admin"),)), False),
        (((("O", OWN),), (("CN", "admin"),), (("CN", AGENT),)), False),
        (((("O", OWN),),), False),
        (agent_subject("c2"), False),
    ],
)
def test_a_subject_is_exactly_what_the_cluster_is_due(subject: Any, known: bool) -> None:
    """Only the organizations and a name of the labelled cluster count, wherever the subject has them."""
    assert cluster_subject(cluster_csr("c1", subject)) == (AGENT if known else "")


@pytest.mark.parametrize(
    ("usages", "known"),
    [
        (("digital signature", "key encipherment", "client auth"), True),
        (("digital signature", "client auth"), True),
        (("digital signature", "key encipherment"), False),
        (("digital signature", "key encipherment", "server auth"), False),
        (("digital signature", "client auth", "server auth"), False),
        (("any",), False),
        ((), False),
    ],
)
def test_usages_are_those_of_a_client(usages: tuple[str, ...], known: bool) -> None:
    """A certificate that could do more than authenticate a client is nothing to approve unseen."""
    assert bool(cluster_subject(cluster_csr("c1", usages=usages))) is known


@pytest.mark.parametrize("request_text", ["", "no base64", "bm8gcGVt", "LS0tLS1CRUdJTg=="])
def test_what_is_no_request_is_left_alone(request_text: str) -> None:
    """Unreadable requests are nobody's, and do not stop the controller."""
    csr = cluster_csr("c1", name="r", username=AGENT)
    csr = {**csr, "spec": {**csr["spec"], "request": request_text}}
    assert not reconciled(csr).actions


def test_a_renewal_is_asked_about_and_approved() -> None:
    """The question carries all of who asks; the answer's approval keeps what conditions there were."""
    csr = cluster_csr("c1", name="r", username=AGENT, groups=[OWN, COMMON, "system:authenticated"])
    csr["spec"] |= {"uid": "u1", "extra": {"k": ["v"]}}
    asked = reconciled(csr)
    (question,) = asked.actions
    assert isinstance(question, Create)
    assert question.obj["kind"] == "SubjectAccessReview"
    assert question.obj["spec"] == {
        "user": AGENT,
        "groups": [OWN, COMMON, "system:authenticated"],
        "uid": "u1",
        "extra": {"k": ["v"]},
        "resourceAttributes": {
            "group": "register.open-cluster-management.io",
            "resource": "managedclusters",
            "subresource": "clientcertificates",
            "verb": "renew",
        },
    }
    assert approvals(answered(asked, allowed=True)) == [[APPROVED]]


def test_a_renewal_that_is_not_allowed_stays_undecided() -> None:
    """A denied cluster's request is not approved; nor is it looked at again without a reason."""
    assert answered(reconciled(cluster_csr("c1", name="r", username=AGENT)), allowed=False) == DONE


def test_an_accepted_cluster_is_asked_about_again() -> None:
    """Rights granted a moment ago may not be in force yet where the question is answered."""
    accepted = {"type": HUB_ACCEPTED, "status": "True", "reason": "R", "message": ""}
    cluster = {**make.managed_cluster("c1"), "status": {"conditions": [accepted]}}
    outcome = answered(reconciled(cluster_csr("c1", name="r", username=AGENT), cluster), allowed=False)
    assert outcome == Outcome(requeue_after=LOOK_AGAIN)


def test_a_question_that_fails_is_asked_again() -> None:
    """Without an answer nothing is approved, and the request is looked at later."""
    outcome = answered(
        reconciled(cluster_csr("c1", name="r", username=AGENT)), error=ApiError("InternalError", "no")
    )
    assert not outcome.actions
    assert outcome.retry


@pytest.mark.parametrize(
    ("requester", "settings", "approves"),
    [
        (BOOTSTRAP, HubSettings(), False),
        (BOOTSTRAP, HubSettings(auto_approved_users=frozenset({BOOTSTRAP})), False),
        (BOOTSTRAP, HubSettings(auto_approval=True), False),
        (BOOTSTRAP, HubSettings(auto_approval=True, auto_approved_users=frozenset({BOOTSTRAP})), True),
        ("someone", HubSettings(auto_approval=True, auto_approved_users=frozenset({BOOTSTRAP})), False),
        (f"{OWN}:other", HubSettings(), False),
        (f"{GROUP_PREFIX}c2:agent1", HubSettings(), False),
    ],
)
def test_first_requests(requester: str, settings: HubSettings, approves: bool) -> None:
    """A first request is approved only for an identity that was named, with the gate open."""
    outcome = reconciled(cluster_csr("c1", name="r", username=requester), settings=settings)
    assert approvals(outcome) == ([[APPROVED]] if approves else [])
    assert outcome.then is None


def with_status(csr: Object, *types: str) -> Object:
    """A request that was decided."""
    return {**csr, "status": {"conditions": [{"type": t, "status": "True"} for t in types]}}


def labelled(csr: Object, key: str, value: str) -> Object:
    """The request with one more label."""
    meta = csr["metadata"]
    return {**csr, "metadata": {**meta, "labels": {**meta.get("labels", {}), key: value}}}


ALL_OPEN = HubSettings(auto_approval=True, auto_approved_users=frozenset({BOOTSTRAP, AGENT}))


@pytest.mark.parametrize(
    "csr",
    [
        with_status(cluster_csr("c1", name="r", username=BOOTSTRAP), "Approved"),
        with_status(cluster_csr("c1", name="r", username=BOOTSTRAP), "Denied"),
        cluster_csr("c1", name="r", username=BOOTSTRAP, label=""),
        cluster_csr("c1", name="r", username=BOOTSTRAP, label="c2"),
        cluster_csr("c1", name="r", username=BOOTSTRAP, signer="example.com/own"),
        labelled(cluster_csr("c1", name="r", username=BOOTSTRAP), ADDON_NAME_LABEL, "a"),
    ],
    ids=["approved", "denied", "no-label", "another's-label", "another-signer", "an-add-on's"],
)
def test_requests_that_are_not_ours(csr: Object) -> None:
    """What was decided, or is for something else, is not touched, whoever asks."""
    assert not reconciled(csr, settings=ALL_OPEN).actions


@pytest.mark.parametrize("gate", [False, True])
def test_an_old_hub_needs_the_gate(gate: bool) -> None:
    """At v1beta1 requests are decided only with V1beta1CSRAPICompatibility, and written back at v1beta1."""
    csr = {**cluster_csr("c1", name="r", username=AGENT), "apiVersion": "certificates.k8s.io/v1beta1"}
    settings = HubSettings().with_gates({"V1beta1CSRAPICompatibility": gate})
    world = World(load_catalog(), namespaces=[])
    world.store(None, csr)
    asked = CsrApproval(settings)(WorldView({Side.HUB: world}, {}), ref_of(csr), NOW)
    if not gate:
        assert not asked.actions
        return
    (update, _) = answered(asked, allowed=True).actions
    assert isinstance(update, Update)
    assert update.obj["apiVersion"] == "certificates.k8s.io/v1beta1"


def test_acceptance_wakes_what_waits_for_it() -> None:
    """A cluster that is accepted has its undecided requests looked at, and no others."""
    accepted = {"type": HUB_ACCEPTED, "status": "True", "reason": "R", "message": ""}
    before = make.managed_cluster("c1")
    after = {**before, "status": {"conditions": [accepted]}}
    assert accepted_now(before, after)
    assert accepted_now(None, after)
    assert not accepted_now(after, after)
    assert not accepted_now(after, before)
    world = World(load_catalog(), namespaces=[])
    world.put(cluster_csr("c1", name="waits"))
    world.put(with_status(cluster_csr("c1", name="decided"), "Approved"))
    world.put(cluster_csr("c2", name="other"))
    found = list(of_cluster(WorldView({Side.HUB: world}, {}), after))
    assert [(ref.of, ref.name) for ref in found] == [(CSR, "waits")]
