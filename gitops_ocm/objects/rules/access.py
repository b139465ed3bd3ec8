"""Roles and their bindings."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.names import path_problems, subdomain_problems
from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    each_invalid,
    invalid,
    items,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import label_selector

GROUP = "rbac.authorization.k8s.io"


def role(obj: Value, old: Value | None) -> Faults:
    """A Role."""
    yield from _rules(obj.get("rules"), namespaced=True)


def cluster_role(obj: Value, old: Value | None) -> Faults:
    """A ClusterRole."""
    yield from _rules(obj.get("rules"), namespaced=False)
    aggregation = obj.get("aggregationRule")
    if aggregation is None:
        return
    selectors = aggregation.get("clusterRoleSelectors")
    if not selectors:
        why = "at least one clusterRoleSelector required if aggregationRule is non-nil"
        yield required("aggregationRule.clusterRoleSelectors", why)
    for at, selector in items(selectors, "aggregationRule.clusterRoleSelectors"):
        faults = list(label_selector(at, selector))
        yield from faults
        if faults:
            yield invalid(at, None, "invalid label selector.")


def _rules(rules: Any, *, namespaced: bool) -> Faults:
    for at, rule in items(rules, "rules"):
        if not rule.get("verbs"):
            yield required(f"{at}.verbs", "verbs must contain at least one value")
        urls = rule.get("nonResourceURLs")
        if urls:
            if namespaced:
                why = "namespaced rules cannot apply to non-resource URLs"
                yield invalid(f"{at}.nonResourceURLs", urls, why)
            if any(rule.get(name) for name in ("apiGroups", "resources", "resourceNames")):
                why = "rules cannot apply to both regular resources and non-resource URLs"
                yield invalid(f"{at}.nonResourceURLs", urls, why)
            continue
        if not rule.get("apiGroups"):
            yield required(f"{at}.apiGroups", "resource rules must supply at least one api group")
        if not rule.get("resources"):
            yield required(f"{at}.resources", "resource rules must supply at least one resource")


def role_binding(obj: Value, old: Value | None) -> Faults:
    """A RoleBinding."""
    yield from _binding(obj, old, ("Role", "ClusterRole"), namespaced=True)


def cluster_role_binding(obj: Value, old: Value | None) -> Faults:
    """A ClusterRoleBinding."""
    yield from _binding(obj, old, ("ClusterRole",), namespaced=False)


def _binding(obj: Value, old: Value | None, kinds: tuple[str, ...], *, namespaced: bool) -> Faults:
    ref = obj.get("roleRef") or {}
    group, kind, name = (ref.get(key) or "" for key in ("apiGroup", "kind", "name"))
    if group != GROUP:
        yield unsupported("roleRef.apiGroup", group, (GROUP,))
    if kind not in kinds:
        yield unsupported("roleRef.kind", kind, kinds)
    if not name:
        yield required("roleRef.name")
    else:
        yield from each_invalid("roleRef.name", name, path_problems(name))
    for at, subject in items(obj.get("subjects"), "subjects"):
        yield from _subject(at, subject, namespaced=namespaced)
    if old is not None and ref != (old.get("roleRef") or {}):
        told = {"APIGroup": group, "Kind": kind, "Name": name}
        yield invalid("roleRef", told, "cannot change roleRef")


def _subject(path: str, subject: Value, *, namespaced: bool) -> Faults:
    kind, name, group = (subject.get(key) or "" for key in ("kind", "name", "apiGroup"))
    if not name:
        yield required(f"{path}.name")
    if kind == "ServiceAccount":
        if name:
            yield from each_invalid(f"{path}.name", name, subdomain_problems(name))
        if group:
            yield unsupported(f"{path}.apiGroup", group, ("",))
        if not namespaced and not subject.get("namespace"):
            yield required(f"{path}.namespace")
    elif kind in ("User", "Group"):
        if group != GROUP:
            yield unsupported(f"{path}.apiGroup", group, (GROUP,))
    else:
        yield unsupported(f"{path}.kind", kind, ("ServiceAccount", "User", "Group"))
