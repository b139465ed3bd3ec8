"""Which webhooks and policies a write concerns: rules, scopes, and selectors. Pure.

A rule may name another version (or group) of what is written: under `matchPolicy: Equivalent` the write is
then shown in that version.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.ref import Kind, Object
from gitops_ocm.objects.selectors import matches

GROUP = "admissionregistration.k8s.io"
_EXEMPT = frozenset(
    {
        "ValidatingWebhookConfiguration",
        "MutatingWebhookConfiguration",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
        "MutatingAdmissionPolicy",
        "MutatingAdmissionPolicyBinding",
    }
)
"""Kinds that are never judged, or nobody could take back a webhook that refuses everything."""
_NAMESPACE = Kind("", "Namespace")


@dataclass(frozen=True)
class Write:
    """One write as admission sees it; `obj` is None for a deletion, `old` for a creation."""

    operation: str
    served: Served
    namespace: str
    name: str
    obj: Object | None
    old: Object | None
    subresource: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    dry_run: bool = False

    @property
    def exempt(self) -> bool:
        """Whether the write is about admission itself."""
        resource = self.served.resource
        return resource.group == GROUP and resource.kind in _EXEMPT

    @property
    def of_namespace(self) -> bool:
        """Whether the write is of a namespace, which counts as being in itself."""
        return self.served.resource.of == _NAMESPACE


@dataclass(frozen=True)
class Surroundings:
    """What matching asks the server: a namespace by its name, and all versions of a kind."""

    namespace: Callable[[str], Object | None]
    versions: Callable[[Served], Sequence[Served]]


def shown_as(
    write: Write, rules: Iterable[Mapping[str, Any]], policy: str, around: Surroundings
) -> Served | None:
    """The version in which rules ask for the write; None where they do not."""
    rules = tuple(rules)
    if any(_fits(rule, write, write.served) for rule in rules):
        return write.served
    if policy == "Exact":
        return None
    others = [served for served in around.versions(write.served) if served is not write.served]
    return next((served for rule in rules for served in others if _fits(rule, write, served)), None)


def _fits(rule: Mapping[str, Any], write: Write, served: Served) -> bool:
    resource = served.resource
    return (
        _in_scope(rule.get("scope") or "*", write)
        and _names(rule.get("operations"), write.operation)
        and _names(rule.get("apiGroups"), resource.group)
        and _names(rule.get("apiVersions"), resource.version)
        and any(_is_of(text, resource.plural, write.subresource) for text in rule.get("resources") or ())
        and _names(rule.get("resourceNames") or ("*",), write.name)
    )


def _in_scope(scope: str, write: Write) -> bool:
    namespaced = bool(write.namespace) and not write.of_namespace
    return scope == "*" or namespaced is (scope == "Namespaced")


def _names(items: Iterable[str] | None, wanted: str) -> bool:
    return any(item in ("*", wanted) for item in items or ())


def _is_of(text: str, plural: str, subresource: str) -> bool:
    resource, _, sub = text.partition("/")
    return resource in ("*", plural) and sub in ("*", subresource)


def selected(write: Write, owner: Mapping[str, Any], around: Surroundings) -> bool:
    """Whether the selectors of a webhook, policy or binding take in the write's namespace and object."""
    chosen = owner.get("objectSelector")
    if chosen and not any(matches(chosen, _labels(o)) for o in (write.obj, write.old) if o is not None):
        return False
    namespaces = owner.get("namespaceSelector")
    if not namespaces or not (write.namespace or write.of_namespace):
        return True
    return matches(namespaces, _labels(_home(write, around)))


def _home(write: Write, around: Surroundings) -> Object | None:
    if write.of_namespace and not write.subresource and write.obj is not None:
        return write.obj
    return around.namespace(write.namespace)


def _labels(obj: Object | None) -> Mapping[str, str]:
    found: Mapping[str, str] = ((obj or {}).get("metadata") or {}).get("labels") or {}
    return found
