"""What an executor is asked for, and what the answers come to."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.decide.agent.executor import Refusal, executor_of, refusal
from gitops_ocm.decide.agent.manifests import Item
from gitops_ocm.decide.contract import Create, Result, is_kept
from gitops_ocm.objects.faults import ApiError, forbidden
from gitops_ocm.objects.ref import Object, ref_of, split_api_version

USER = "system:serviceaccount:team:deployer"


def work(subject: Any) -> Object:
    """A work whose executor is that."""
    return {"spec": {"executor": {"subject": subject}}}


WORK = work({"type": "ServiceAccount", "serviceAccount": {"namespace": "team", "name": "deployer"}})
ROLE: Object = {
    "apiVersion": "rbac.authorization.k8s.io/v1",
    "kind": "Role",
    "metadata": {"name": "r", "namespace": "shop"},
}
CLUSTER_ROLE: Object = {**ROLE, "kind": "ClusterRole", "metadata": {"name": "r"}}
MAP: Object = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "m", "namespace": "shop"}}


def item(manifest: Object, plural: str, *, orphan: bool = False) -> Item:
    """A manifest of a work."""
    group, version = split_api_version(manifest["apiVersion"])
    meta = {"group": group, "version": version, "resource": plural, "namespace": "", **manifest["metadata"]}
    return Item(manifest, meta, None, ref_of(manifest), orphan=orphan)


@pytest.mark.parametrize(
    ("subject", "fault"),
    [
        (None, "only support ServiceAccount type for the executor"),
        ({"type": "User"}, "only support ServiceAccount type for the executor"),
        ({"type": "ServiceAccount"}, "the executor service account is nil"),
        ({"type": "ServiceAccount", "serviceAccount": {"namespace": "a", "name": "b"}}, ""),
    ],
)
def test_how_it_is_named(subject: Any, fault: str) -> None:
    """An executor that names no account stands for nobody, and never for the agent."""
    found = executor_of(work(subject))
    assert found is not None
    assert found.fault == fault


@pytest.mark.parametrize("spec", [{}, {"executor": None}])
def test_without_one(spec: Object) -> None:
    """A work without executor asks for nobody's leave."""
    assert executor_of({"spec": spec}) is None


@pytest.mark.parametrize(
    ("manifest", "plural", "orphan", "verbs", "rehearsed"),
    [
        (MAP, "configmaps", False, ["create", "update", "patch", "get", "delete"], False),
        (MAP, "configmaps", True, ["create", "update", "patch", "get"], False),
        (ROLE, "roles", False, ["create", "update", "patch", "get", "delete"], True),
        (CLUSTER_ROLE, "clusterroles", True, ["create", "update", "patch", "get"], True),
    ],
)
def test_what_is_asked(
    manifest: Object, plural: str, orphan: bool, verbs: list[str], rehearsed: bool
) -> None:
    """Every verb the agent may come to use, as the account and its groups; roles and bindings as a whole."""
    executor = executor_of(WORK)
    assert executor is not None
    asked = executor.questions(item(manifest, plural, orphan=orphan))
    reviews = [q.obj["spec"] for q in asked if not q.rehearsed_by]
    assert [r["resourceAttributes"]["verb"] for r in reviews] == verbs
    assert {r["user"] for r in reviews} == {USER}
    assert {tuple(r["groups"]) for r in reviews} == {
        ("system:serviceaccounts", "system:authenticated", "system:serviceaccounts:team")
    }
    assert {r["resourceAttributes"]["version"] for r in reviews} == {"v1"}
    assert [q.obj for q in asked if q.rehearsed_by] == ([manifest] if rehearsed else [])
    assert not any(map(is_kept, asked))


def _answers(*allowed: bool) -> list[Result]:
    review = Create({"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview"})
    return [Result(review, {"status": {"allowed": each}}) for each in allowed]


def _rehearsed(error: ApiError | None) -> Result:
    return Result(Create(ROLE, rehearsed_by=USER), None if error else ROLE, error)


DENIED = "not allowed to apply the resource rbac.authorization.k8s.io roles, shop r"
AGAIN = ", will try again in 1m0s"
NOT_ASKED = forbidden("authorization.k8s.io", "subjectaccessreviews", "", "the agent may not ask")
NOT_AS = forbidden("", "serviceaccounts", "deployer", "the agent may not impersonate")
GONE = ApiError("NotFound", 'namespaces "shop" not found')
TAKEN = ApiError("AlreadyExists", 'roles "r" already exists')
MORE = forbidden("rbac.authorization.k8s.io", "roles", "r", "is attempting to grant more")


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        (_answers(True, True), None),
        (_answers(True, False), Refusal(DENIED + AGAIN)),
        ([*_answers(True), Result(Create({}), None, NOT_ASKED)], Refusal(NOT_ASKED.message, lasting=False)),
        ([*_answers(True), _rehearsed(None)], None),
        ([*_answers(True), _rehearsed(TAKEN)], None),
        ([*_answers(True), _rehearsed(MORE)], Refusal(f"{DENIED}, error: permission escalation{AGAIN}")),
        ([*_answers(False), _rehearsed(MORE)], Refusal(DENIED + AGAIN)),
        ([*_answers(True), _rehearsed(GONE)], Refusal(GONE.message, lasting=False)),
        ([*_answers(True), _rehearsed(NOT_AS)], Refusal(NOT_AS.message, lasting=False)),
    ],
)
def test_what_answers_come_to(answers: list[Result], expected: Refusal | None) -> None:
    """A no is told in OCM's words and asked about again each minute; any other error is tried again."""
    assert refusal(item(ROLE, "roles"), answers) == expected
