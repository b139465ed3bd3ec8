"""RBAC: who may do what, by the roles and bindings there are; and nobody grants what they lack."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.apiserver.access import Access, refusal
from gitops_ocm.apiserver.access_bootstrap import bootstrap_objects
from gitops_ocm.apiserver.rbac import GROUP, MASTERS, NOBODY, Attributes, Policy, User
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object

ANN = User("ann", ("dev", "system:authenticated"))
AGENT = User("system:serviceaccount:ocm:agent", ("system:serviceaccounts",))
ADMIN = User("root", (MASTERS,))


def _rule(groups: list[str], resources: list[str], verbs: list[str], **more: Any) -> dict[str, Any]:
    return {"apiGroups": groups, "resources": resources, "verbs": verbs, **more}


def _role(name: str, *rules: dict[str, Any], namespace: str = "", **more: Any) -> Object:
    meta = {"name": name, **({"namespace": namespace} if namespace else {}), **more.pop("meta", {})}
    return {"metadata": meta, "rules": list(rules), **more}


def _binding(role: str, *subjects: dict[str, Any], namespace: str = "", kind: str = "ClusterRole") -> Object:
    meta = {"name": f"{role}-b", **({"namespace": namespace} if namespace else {})}
    return {"metadata": meta, "roleRef": {"kind": kind, "name": role}, "subjects": list(subjects)}


ROLES = [_role("local", _rule([""], ["configmaps"], ["get", "list"]), namespace="shop")]
CLUSTER_ROLES = [
    _role("reader", _rule(["work.io"], ["works"], ["get", "list", "watch"])),
    _role("status", _rule(["work.io"], ["works/status"], ["patch"]), _rule(["*"], ["*/scale"], ["update"])),
    _role("one", _rule([""], ["secrets"], ["get"], resourceNames=["only"])),
    _role("paths", {"nonResourceURLs": ["/metrics", "/debug/*"], "verbs": ["get"]}),
    _role(
        "sum",
        aggregationRule={"clusterRoleSelectors": [{"matchLabels": {"to-sum": "yes"}}]},
    ),
    _role("part", _rule(["batch"], ["jobs"], ["*"]), meta={"labels": {"to-sum": "yes"}}),
]
ROLE_BINDINGS = [
    _binding("local", {"kind": "User", "name": "ann"}, namespace="shop", kind="Role"),
    _binding("sum", {"kind": "Group", "name": "dev"}, namespace="shop"),
    _binding("gone", {"kind": "Group", "name": "dev"}, namespace="shop"),
    _binding("reader", {"kind": "ServiceAccount", "name": "agent", "namespace": "ocm"}, namespace="c1"),
]
CLUSTER_BINDINGS = [
    _binding("status", {"kind": "Group", "name": "dev"}),
    _binding("one", {"kind": "User", "name": "ann"}),
    _binding("paths", {"kind": "Group", "name": "system:authenticated"}),
]
POLICY = Policy(ROLES, CLUSTER_ROLES, ROLE_BINDINGS, CLUSTER_BINDINGS)


@pytest.mark.parametrize(
    ("user", "wanted", "allowed"),
    [
        (ANN, Attributes("get", "", "configmaps", namespace="shop"), True),
        (ANN, Attributes("get", "", "configmaps", namespace="other"), False),
        (ANN, Attributes("delete", "", "configmaps", namespace="shop"), False),
        (ANN, Attributes("get", "apps", "configmaps", namespace="shop"), False),
        (ANN, Attributes("list", "", "configmaps"), False),
        (ANN, Attributes("patch", "work.io", "works", "status", "any"), True),
        (ANN, Attributes("patch", "work.io", "works", "", "any"), False),
        (ANN, Attributes("update", "apps", "deployments", "scale", "any"), True),
        (ANN, Attributes("get", "", "secrets", namespace="x", name="only"), True),
        (ANN, Attributes("get", "", "secrets", namespace="x", name="other"), False),
        (ANN, Attributes("get", "", "secrets", namespace="x"), False),
        (ANN, Attributes("delete", "batch", "jobs", namespace="shop"), True),
        (ANN, Attributes("delete", "batch", "jobs", namespace="elsewhere"), False),
        (ANN, Attributes("get", path="/metrics"), True),
        (ANN, Attributes("get", path="/debug/pprof"), True),
        (ANN, Attributes("get", path="/debugger"), False),
        (AGENT, Attributes("watch", "work.io", "works", namespace="c1"), True),
        (AGENT, Attributes("watch", "work.io", "works", namespace="c2"), False),
        (NOBODY, Attributes("get", path="/metrics"), False),
        (ADMIN, Attributes("delete", "any", "thing"), True),
    ],
)
def test_rules_decide(user: User, wanted: Attributes, allowed: bool) -> None:
    """Scope, group, resource, subresource, name, aggregation, paths and subjects each count."""
    assert POLICY.allows(user, wanted) is allowed


_WORD = st.sampled_from(["", "a", "b", "*"])
_ATTRIBUTES = st.builds(Attributes, _WORD, _WORD, _WORD, _WORD, _WORD, _WORD)


@given(_ATTRIBUTES)
@settings(derandomize=True, deadline=None)
def test_without_bindings_nothing_is_allowed(wanted: Attributes) -> None:
    """RBAC only ever adds: an empty policy allows nothing to anybody but masters."""
    policy = Policy((), CLUSTER_ROLES)
    assert not policy.allows(ANN, wanted)
    assert policy.allows(ADMIN, wanted)


class Given:
    """RBAC objects as a test gives them, counting how often they are read."""

    def __init__(self, objects: dict[str, list[Object]]) -> None:
        self.objects = objects
        self.reads = 0
        self.number = 1

    def all(self, plural: str) -> list[Object]:
        """Those of one kind."""
        self.reads += 1
        return self.objects.get(plural, [])

    def revision(self) -> int:
        """As the test sets it."""
        return self.number


ACCESS = Access(
    Given(
        {
            "roles": ROLES,
            "clusterroles": CLUSTER_ROLES,
            "rolebindings": ROLE_BINDINGS,
            "clusterrolebindings": CLUSTER_BINDINGS,
        }
    )
)


@pytest.mark.parametrize(
    ("plural", "obj", "refused"),
    [
        ("roles", _role("r", _rule([""], ["configmaps"], ["get"])), False),
        ("roles", _role("r", _rule([""], ["configmaps"], ["get", "delete"])), True),
        ("roles", _role("r", _rule([""], ["secrets"], ["get"], resourceNames=["only"])), False),
        ("roles", _role("r", _rule([""], ["secrets"], ["get"])), True),
        ("roles", _role("r", _rule(["batch"], ["jobs"], ["get"])), False),
        ("rolebindings", _binding("local", {"kind": "User", "name": "bob"}, kind="Role"), False),
        ("rolebindings", _binding("reader", {"kind": "User", "name": "bob"}), True),
        ("configmaps", {"metadata": {}}, False),
    ],
)
def test_nobody_grants_what_they_do_not_hold(plural: str, obj: Object, refused: bool) -> None:
    """A role or binding that gives more than its writer has is refused; a master may do it."""
    ACCESS.require_no_escalation(ADMIN, plural, "shop", "x", obj)
    if not refused:
        ACCESS.require_no_escalation(ANN, plural, "shop", "x", obj)
        return
    with pytest.raises(ApiError, match="attempting to grant RBAC permissions not currently held") as raised:
        ACCESS.require_no_escalation(ANN, plural, "shop", "x", obj)
    assert raised.value.http_code == 403


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (
            Attributes("list", "", "pods", namespace="y"),
            'pods is forbidden: User "ann" cannot list resource "pods" in API group "" in the namespace "y"',
        ),
        (
            Attributes("patch", "work.io", "works", "status", "", "w"),
            (
                'works.work.io "w" is forbidden: User "ann" cannot patch resource "works/status" '
                'in API group "work.io" at the cluster scope'
            ),
        ),
        (Attributes("get", path="/x"), 'forbidden: User "ann" cannot get path "/x"'),
    ],
)
def test_a_refusal_reads_as_the_real_one(wanted: Attributes, message: str) -> None:
    """The text that people search for."""
    error = refusal(ANN, wanted)
    assert (error.message, error.http_code) == (message, 403)


def test_the_policy_is_made_once_per_revision() -> None:
    """As long as no role or binding changed, none is read."""
    given = Given({})
    access = Access(given)
    for _ in range(3):
        access.allows(ANN, Attributes("get", "", "pods"))
    assert given.reads == 4
    given.number = 2
    access.allows(ANN, Attributes("get", "", "pods"))
    assert given.reads == 8


def _bootstrap() -> Policy:
    objects = list(bootstrap_objects())
    return Policy(
        cluster_roles=[o for o in objects if o["kind"] == "ClusterRole"],
        cluster_role_bindings=[o for o in objects if o["kind"] == "ClusterRoleBinding"],
        role_bindings=[_binding("admin", {"kind": "User", "name": "boss"}, namespace="shop")],
    )


@pytest.mark.parametrize(
    ("user", "wanted", "allowed"),
    [
        (NOBODY, Attributes("get", path="/version"), True),
        (NOBODY, Attributes("get", path="/livez"), True),
        (NOBODY, Attributes("get", path="/apis"), False),
        (NOBODY, Attributes("list", "", "pods"), False),
        (ANN, Attributes("get", path="/apis/apps/v1"), True),
        (ANN, Attributes("get", path="/openapi/v3/api/v1"), True),
        (ANN, Attributes("create", "authorization.k8s.io", "selfsubjectaccessreviews"), True),
        (ANN, Attributes("list", "", "pods"), False),
        (User("boss"), Attributes("delete", "", "pods", namespace="shop"), True),
        (User("boss"), Attributes("list", "apps", "deployments", namespace="shop"), True),
        (User("boss"), Attributes("create", GROUP, "roles", namespace="shop"), True),
        (User("boss"), Attributes("list", "", "pods", namespace="other"), False),
    ],
)
def test_a_new_server_is_closed_but_for_the_bootstrap_roles(
    user: User, wanted: Attributes, allowed: bool
) -> None:
    """Anonymous callers see health and version; people see discovery; admin contains edit and view."""
    assert _bootstrap().allows(user, wanted) is allowed
