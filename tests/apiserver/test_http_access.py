"""Who may what over real HTTPS: credentials, bindings, impersonation, requests for certificates."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.kube.cluster import PatchType
from tests.apiserver.identity.csr_requests import encoded, pem
from tests.apiserver.plain_http import IN_DEFAULT, TOKENS, Http, config_map


async def test_who_may(shared_http: Http) -> None:
    """Bad credentials 401; none, or too few rights, 403 with the well-known sentence."""
    status, body, _ = await shared_http("GET", IN_DEFAULT, token="wrong")
    assert (status, body["message"]) == (401, "Unauthorized")
    status, body, _ = await shared_http("GET", IN_DEFAULT, token="")
    assert status == 403
    assert body["message"].startswith('configmaps is forbidden: User "system:anonymous" cannot list')
    status, body, _ = await shared_http("DELETE", f"{IN_DEFAULT}/x", token="ann")
    expected = (
        'configmaps "x" is forbidden: User "ann" cannot delete resource "configmaps" '
        'in API group "" in the namespace "default"'
    )
    assert (status, body["message"], body["reason"]) == (403, expected, "Forbidden")
    assert body["details"] == {"name": "x", "kind": "configmaps"}


async def test_a_binding_counts_at_once(http: Http) -> None:
    """A role given, then taken away, changes the very next answer."""
    rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default"
    role = {
        "metadata": {"name": "r"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["list"]}],
    }
    binding = {
        "metadata": {"name": "b"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "r"},
        "subjects": [{"kind": "Group", "name": "dev", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    assert (await http("GET", IN_DEFAULT, token="ann"))[0] == 403
    assert (await http("POST", f"{rbac}/roles", role))[0] == 201
    assert (await http("POST", f"{rbac}/rolebindings", binding))[0] == 201
    assert (await http("GET", IN_DEFAULT, token="ann"))[0] == 200
    assert (await http("GET", "/api/v1/configmaps", token="ann"))[0] == 403
    assert (await http("DELETE", f"{rbac}/rolebindings/b"))[0] == 200
    assert (await http("GET", IN_DEFAULT, token="ann"))[0] == 403


async def test_impersonation_is_a_right(shared_http: Http) -> None:
    """Who may impersonate acts as the other; who may not is refused; nobody acts as themselves by it."""
    assert (await shared_http("GET", IN_DEFAULT, Impersonate_User="bob"))[0] == 403
    status, body, _ = await shared_http("GET", IN_DEFAULT, token="ann", Impersonate_User="root")
    assert status == 403
    assert 'cannot impersonate resource "users"' in body["message"]
    assert (await shared_http("GET", IN_DEFAULT, Impersonate_Group="system:masters"))[0] == 400
    reviews = "/apis/authentication.k8s.io/v1/selfsubjectreviews"
    status, body, _ = await shared_http("POST", reviews, {}, Impersonate_User="bob", Impersonate_Group="g")
    assert status == 201
    assert body["status"]["userInfo"] == {"username": "bob", "groups": ["g", "system:authenticated"]}


async def test_an_apply_that_creates_needs_create(http: Http) -> None:
    """To patch is one right, to bring into being another."""
    cluster = "/apis/rbac.authorization.k8s.io/v1"
    role = {
        "metadata": {"name": "p"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["patch"]}],
    }
    binding = {
        "metadata": {"name": "p"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "p"},
        "subjects": [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}],
    }
    await http("POST", f"{cluster}/clusterroles", role)
    await http("POST", f"{cluster}/clusterrolebindings", binding)
    path = f"{IN_DEFAULT}/a?fieldManager=m"
    apply = {"Content_Type": PatchType.APPLY.value}
    status, body, _ = await http("PATCH", path, config_map(), token="ann", **apply)
    assert status == 403
    assert "cannot create resource" in body["message"]
    assert (await http("PATCH", path, config_map(), **apply))[0] == 201
    assert (await http("PATCH", path, config_map(x="1"), token="ann", **apply))[0] == 200


async def test_a_certificate_request_says_who_asked(http: Http) -> None:
    """The identity in a CSR is the caller's own; approving takes a right for the signer."""
    rbac = "/apis/rbac.authorization.k8s.io/v1"
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests"
    rules = [{"apiGroups": ["certificates.k8s.io"], "resources": ["*"], "verbs": ["create", "update", "get"]}]
    subjects = [{"kind": "User", "name": "ann", "apiGroup": "rbac.authorization.k8s.io"}]
    ref = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "csr"}
    await http("POST", f"{rbac}/clusterroles", {"metadata": {"name": "csr"}, "rules": rules})
    await http(
        "POST",
        f"{rbac}/clusterrolebindings",
        {"metadata": {"name": "c"}, "roleRef": ref, "subjects": subjects},
    )
    spec = {
        "request": encoded(pem()),
        "signerName": "example.com/client",
        "usages": ["client auth"],
        "username": "root",
        "groups": ["system:masters"],
    }
    status, made, _ = await http("POST", path, {"metadata": {"name": "r"}, "spec": spec}, token="ann")
    assert status == 201
    assert (made["spec"]["username"], made["spec"]["groups"]) == ("ann", ["dev", "system:authenticated"])
    approval = {"type": "Approved", "status": "True", "reason": "r", "message": "m"}
    approved = {**made, "status": {"conditions": [approval]}}
    status, body, _ = await http("PUT", f"{path}/r/approval", approved, token="ann")
    assert status == 403
    assert 'not permitted to approve requests with signerName "example.com/client"' in body["message"]
    signers = {"apiGroups": ["certificates.k8s.io"], "resources": ["signers"], "verbs": ["approve"]}
    more = {**signers, "resourceNames": ["example.com/*"]}
    _, role, _ = await http("GET", f"{rbac}/clusterroles/csr")
    await http("PUT", f"{rbac}/clusterroles/csr", {**role, "rules": [*rules, more]})
    assert (await http("PUT", f"{path}/r/approval", approved, token="ann"))[0] == 200


@pytest.mark.parametrize(
    ("media", "body"),
    [
        (PatchType.MERGE, {"spec": {"username": "root"}, "metadata": {"labels": {"a": "b"}}}),
        (PatchType.JSON, [{"op": "replace", "path": "/spec/username", "value": "root"}]),
        (PatchType.STRATEGIC, {"spec": {"groups": ["system:masters"]}}),
        (PatchType.APPLY, {"spec": {"username": "root"}}),
    ],
)
async def test_a_certificate_request_stays_what_it_is(http: Http, media: PatchType, body: Any) -> None:
    """No patch makes it somebody else's, not even an apply that creates it."""
    path = "/apis/certificates.k8s.io/v1/certificatesigningrequests/r?fieldManager=m"
    spec = {
        "request": encoded(pem()),
        "signerName": "example.com/c",
        "usages": ["client auth"],
        "username": "eve",
    }
    whole = {"apiVersion": "certificates.k8s.io/v1", "kind": "CertificateSigningRequest", "spec": spec}
    apply = PatchType.APPLY.value
    status, made, _ = await http("PATCH", path, whole, Content_Type=apply, Impersonate_User="ann")
    assert status == 403
    status, made, _ = await http("PATCH", path, whole, Content_Type=apply)
    assert (status, made["spec"]["username"]) == (201, "root")
    if media is PatchType.APPLY:
        body = {**whole, "spec": {**spec, "username": "root", "groups": ["other"]}}
    status, after, _ = await http("PATCH", path, body, Content_Type=media.value)
    assert status == 200
    assert after["spec"] == made["spec"]


async def test_reviews_answer_questions(shared_http: Http) -> None:
    """`kubectl auth can-i` and its kin, for oneself and for others."""
    reviews = "/apis/authorization.k8s.io/v1"
    wanted = {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "x"}}
    _, mine, _ = await shared_http(
        "POST", f"{reviews}/selfsubjectaccessreviews", {"spec": wanted}, token="ann"
    )
    assert mine["status"]["allowed"] is False
    for user, allowed in (("ann", False), ("root", True)):
        spec = {**wanted, "user": user, "groups": list(TOKENS[user].groups)}
        _, theirs, _ = await shared_http("POST", f"{reviews}/subjectaccessreviews", {"spec": spec})
        assert theirs["status"]["allowed"] is allowed
    assert (await shared_http("POST", f"{reviews}/subjectaccessreviews", {"spec": wanted}))[0] == 422
    assert (await shared_http("POST", f"{reviews}/selfsubjectaccessreviews", {"spec": {}}))[0] == 422
    assert (await shared_http("POST", f"{reviews}/subjectaccessreviews", {"spec": wanted}, token="ann"))[
        0
    ] == 403
