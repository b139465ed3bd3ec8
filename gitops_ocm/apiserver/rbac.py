"""RBAC: what roles and bindings allow, as a function of those objects.

`Policy` is made of the Role, ClusterRole, RoleBinding and ClusterRoleBinding objects of one moment
and then only asked. Pure; who the user is, and what happens on a no, is in `access`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

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


@dataclass(frozen=True, slots=True)
class Grant:
    """The rules of one role that one binding gives to one subject; `scope` is its namespace, or `""`.

    `source` says whose doing that is, `lost` that the role does not exist.
    """

    scope: str
    rules: tuple[Rule, ...]
    source: str
    lost: str = ""


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
        self._grants: dict[tuple[str, str], list[Grant]] = {}
        for binding in cluster_role_bindings:
            self._bind(binding, "")
        for binding in role_bindings:
            self._bind(binding, binding["metadata"]["namespace"])

    def allows(self, user: User, wanted: Attributes) -> bool:
        """Whether some rule bound to the user covers it."""
        return user.is_master or any(covers(r, wanted) for r in self.rules(user, wanted.namespace))

    def reason(self, user: User, wanted: Attributes) -> str:
        """Why the user may do that, as reviews tell it; `""` for a user who may not, and for masters."""
        for grant in self._held(user, wanted.namespace):
            if any(covers(rule, wanted) for rule in grant.rules):
                return f"RBAC: allowed by {grant.source}"
        return ""

    def trouble(self, user: User, namespace: str) -> str:
        """What keeps rules from being known, as refusals tell it: roles that are bound and do not exist."""
        lost = dict.fromkeys(grant.lost for grant in self._held(user, namespace) if grant.lost)
        if not lost:
            return ""
        return f"RBAC: {next(iter(lost))}" if len(lost) == 1 else f"RBAC: [{', '.join(lost)}]"

    def rules(self, user: User, namespace: str) -> Iterator[Rule]:
        """Every rule that holds for the user in a namespace (`""`: cluster-wide ones alone)."""
        for grant in self._held(user, namespace):
            yield from grant.rules

    def has_role(self, role_ref: Mapping[str, Any], namespace: str) -> bool:
        """Whether the role exists that a binding (in `namespace`) refers to."""
        name = role_ref.get("name", "")
        return (namespace, name) in self._local if role_ref.get("kind") == "Role" else name in self._cluster

    def _held(self, user: User, namespace: str) -> Iterator[Grant]:
        for subject in _subjects(user):
            for grant in self._grants.get(subject, ()):
                if not grant.scope or grant.scope == namespace:
                    yield grant

    def rules_of(self, role_ref: Mapping[str, Any], namespace: str) -> tuple[Rule, ...]:
        """The rules of the role a binding (in `namespace`) refers to; none where it does not exist."""
        name = role_ref.get("name", "")
        if role_ref.get("kind") == "Role":
            return self._local.get((namespace, name), ())
        return self._cluster.get(name, ())

    def uncovered(self, user: User, rules: Iterable[Rule], namespace: str) -> list[Rule]:
        """The rules that the user does not hold, each taken apart: nobody may grant those."""
        held = list(self.rules(user, namespace))
        return missing_from(held, rules)

    def _bind(self, binding: Object, scope: str) -> None:
        ref = binding.get("roleRef") or {}
        rules, lost = self.rules_of(ref, scope), ""
        if not rules:
            if self.has_role(ref, scope):
                return
            lost = f'{str(ref.get("kind", "")).lower()}.{GROUP} "{ref.get("name", "")}" not found'
        for subject in binding.get("subjects") or ():
            kind, name = subject.get("kind", ""), subject.get("name", "")
            if kind == "ServiceAccount":
                kind, name = "User", f"{_SERVICE_ACCOUNT}{subject.get('namespace') or scope}:{name}"
            grant = Grant(scope, rules, _source(binding, subject, scope), lost)
            self._grants.setdefault((kind, name), []).append(grant)


def _source(binding: Object, subject: Mapping[str, Any], scope: str) -> str:
    """A grant in the words of a kube-apiserver."""
    name, ref = binding["metadata"]["name"], binding.get("roleRef") or {}
    bound = f'RoleBinding "{name}/{scope}"' if scope else f'ClusterRoleBinding "{name}"'
    who = subject.get("name", "")
    if subject.get("kind") == "ServiceAccount":
        who = f"{who}/{subject.get('namespace') or scope}"
    role = f'{ref.get("kind", "")} "{ref.get("name", "")}"'
    return f'{bound} of {role} to {subject.get("kind", "")} "{who}"'


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
        return path.startswith(pattern.rstrip("*"))
    return pattern == path


# Escalation: a rule taken apart into single permissions, and whether another holds one.

FULL_AUTHORITY: tuple[Rule, ...] = (
    {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]},
    {"nonResourceURLs": ["*"], "verbs": ["*"]},
)
"""What cluster-admin holds: who uses an aggregation rule must hold it too."""
_SHOWN = {
    "apiGroups": "APIGroups",
    "resources": "Resources",
    "nonResourceURLs": "NonResourceURLs",
    "resourceNames": "ResourceNames",
    "verbs": "Verbs",
}


def missing_from(held: Iterable[Rule], rules: Iterable[Rule]) -> list[Rule]:
    """What `rules` allow and no single rule of `held` does, each permission by itself."""
    held = tuple(held)
    return [part for rule in rules for part in _apart(rule) if not any(_contains(own, part) for own in held)]


def shown(rules: Iterable[Rule]) -> list[str]:
    """Single permissions as a refusal lists them: those that differ by verb alone as one, sorted."""
    verbs: dict[tuple[tuple[str, tuple[str, ...]], ...], list[str]] = {}
    for rule in rules:
        what = tuple((key, tuple(rule[key])) for key in _SHOWN if key != "verbs" and rule.get(key))
        if rule.get("nonResourceURLs"):  # these are never put together
            what = (*what, ("verbs", tuple(rule["verbs"])))
            verbs[what] = list(rule["verbs"])
        else:
            verbs.setdefault(what, []).extend(rule["verbs"])
    return sorted({_rule_text({**dict(what), "verbs": tuple(found)}) for what, found in verbs.items()})


def _rule_text(rule: Mapping[str, Iterable[str]]) -> str:
    return "{" + ", ".join(f"{word}:{quoted(rule[key])}" for key, word in _SHOWN.items() if key in rule) + "}"


def quoted(values: Iterable[str]) -> str:
    """A list of texts as Go's `%q` prints it."""
    return "[" + " ".join(orjson.dumps(value).decode() for value in values) + "]"


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
