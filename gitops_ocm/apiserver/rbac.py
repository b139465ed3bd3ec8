"""RBAC: what roles and bindings allow, as a function of those objects.

`Policy` is made of the Role, ClusterRole, RoleBinding and ClusterRoleBinding objects of one moment
and then only asked. Pure; who the user is, and what happens on a no, is in `access`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.selectors import matches

GROUP = "rbac.authorization.k8s.io"
MASTERS = "system:masters"
ANONYMOUS, UNAUTHENTICATED, AUTHENTICATED = (
    "system:anonymous",
    "system:unauthenticated",
    "system:authenticated",
)
_SERVICE_ACCOUNT = "system:serviceaccount:"

Rule = Mapping[str, Any]


@dataclass(frozen=True)
class User:
    """Who asks: a name and the groups that come with it."""

    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict, hash=False)

    @property
    def is_master(self) -> bool:
        """Whether RBAC is not even asked."""
        return MASTERS in self.groups


NOBODY = User(ANONYMOUS, (UNAUTHENTICATED,))


@dataclass(frozen=True)
class Attributes:
    """What is to be done: a verb on a resource, or (with `path`) on something that is none."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        """`pods` or `pods/log`, as rules and messages write it."""
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


class Policy:
    """The rules in force, by subject."""

    def __init__(
        self,
        roles: Iterable[Object] = (),
        cluster_roles: Iterable[Object] = (),
        role_bindings: Iterable[Object] = (),
        cluster_role_bindings: Iterable[Object] = (),
    ) -> None:
        cluster_roles = tuple(cluster_roles)
        self._cluster = {r["metadata"]["name"]: _rules(r, cluster_roles) for r in cluster_roles}
        self._local = {
            (r["metadata"]["namespace"], r["metadata"]["name"]): tuple(r.get("rules") or ()) for r in roles
        }
        self._grants: dict[tuple[str, str], list[tuple[str, tuple[Rule, ...]]]] = {}
        for binding in cluster_role_bindings:
            self._bind(binding, "")
        for binding in role_bindings:
            self._bind(binding, binding["metadata"]["namespace"])

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether some rule bound to the user covers it."""
        return user.is_master or any(covers(r, wanted) for r in self.rules(user, wanted.namespace))

    def rules(self, user: User, namespace: str) -> Iterator[Rule]:
        """Every rule that holds for the user in a namespace (`""`: cluster-wide ones alone)."""
        for subject in _subjects(user):
            for scope, rules in self._grants.get(subject, ()):
                if not scope or scope == namespace:
                    yield from rules

    def rules_of(self, role_ref: Mapping[str, Any], namespace: str) -> tuple[Rule, ...]:
        """The rules of the role a binding (in `namespace`) refers to; none where it does not exist."""
        name = role_ref.get("name", "")
        if role_ref.get("kind") == "Role":
            return self._local.get((namespace, name), ())
        return self._cluster.get(name, ())

    def uncovered(self, user: User, rules: Iterable[Rule], namespace: str) -> list[Rule]:
        """The rules that the user does not hold, each taken apart: nobody may grant those."""
        held = list(self.rules(user, namespace))
        return [
            part for rule in rules for part in _apart(rule) if not any(_contains(own, part) for own in held)
        ]

    def _bind(self, binding: Object, scope: str) -> None:
        rules = self.rules_of(binding.get("roleRef") or {}, scope)
        if not rules:
            return
        for subject in binding.get("subjects") or ():
            kind, name = subject.get("kind", ""), subject.get("name", "")
            if kind == "ServiceAccount":
                kind, name = "User", f"{_SERVICE_ACCOUNT}{subject.get('namespace') or scope}:{name}"
            self._grants.setdefault((kind, name), []).append((scope, rules))


def _rules(
    role: Object, cluster_roles: Iterable[Object], above: frozenset[str] = frozenset()
) -> tuple[Rule, ...]:
    aggregation = role.get("aggregationRule")
    if not aggregation:
        return tuple(role.get("rules") or ())
    # kube-controller-manager writes these into the role; here they are looked up when they count.
    selectors = aggregation.get("clusterRoleSelectors") or ()
    above |= {role["metadata"]["name"]}
    return tuple(
        rule
        for other in cluster_roles
        if other["metadata"]["name"] not in above
        and any(matches(s, other["metadata"].get("labels") or {}) for s in selectors)
        for rule in _rules(other, cluster_roles, above)
    )


def _subjects(user: User) -> Iterator[tuple[str, str]]:
    yield "User", user.name
    for group in user.groups:
        yield "Group", group


def covers(rule: Rule, wanted: Attributes) -> bool:
    """Whether one rule allows it."""
    if not _has(rule.get("verbs"), wanted.verb):
        return False
    if wanted.path:
        return any(_path_matches(pattern, wanted.path) for pattern in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _has(rule.get("apiGroups"), wanted.group)
        and _resource_matches(rule.get("resources") or (), wanted)
        and (not names or (bool(wanted.name) and wanted.name in names))
    )


def _has(values: Iterable[str] | None, wanted: str) -> bool:
    return bool(values) and ("*" in (chosen := tuple(values or ())) or wanted in chosen)


def _resource_matches(resources: Iterable[str], wanted: Attributes) -> bool:
    full = wanted.full_resource
    return any(
        r in ("*", full) or (bool(wanted.subresource) and r == f"*/{wanted.subresource}") for r in resources
    )


def _path_matches(pattern: str, path: str) -> bool:
    if pattern.endswith("*"):
        return path.startswith(pattern[:-1])
    return pattern in ("*", path)


# Escalation: a rule taken apart into single permissions, and whether another holds one.


def _apart(rule: Rule) -> Iterator[Rule]:
    for verb in rule.get("verbs") or ():
        for url in rule.get("nonResourceURLs") or ():
            yield {"verbs": [verb], "nonResourceURLs": [url]}
        for group in rule.get("apiGroups") or ():
            for resource in rule.get("resources") or ():
                single = {"verbs": [verb], "apiGroups": [group], "resources": [resource]}
                names = rule.get("resourceNames") or ()
                if not names:
                    yield single
                for name in names:
                    yield {**single, "resourceNames": [name]}


def _contains(owner: Rule, part: Rule) -> bool:
    verb: str = part["verbs"][0]
    if "nonResourceURLs" in part:
        return covers(owner, Attributes(verb, path=part["nonResourceURLs"][0]))
    resource, _, subresource = part["resources"][0].partition("/")
    name = (part.get("resourceNames") or [""])[0]
    wanted = Attributes(verb, part["apiGroups"][0], resource, subresource, name=name)
    return covers(owner, wanted)
