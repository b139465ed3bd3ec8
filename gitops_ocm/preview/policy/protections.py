"""Objects that may not be deleted, by kind, name, namespace and labels: Git's, and what clusters lose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from gitops_ocm.desired.policy import Protected
from gitops_ocm.objects.ref import Ref
from gitops_ocm.objects.selectors import matches
from gitops_ocm.preview.model import Effect
from gitops_ocm.preview.policy.case import Case, Finding, listed, named


def protections(protected: tuple[Protected, ...], case: Case) -> Finding:
    """`protected`: whether any of them would go."""
    gone = [e for e in case.all_deletions() if any(_protects(one, e, case) for one in protected)]
    if not gone:
        return Finding(True, "nothing that is protected is deleted")
    verb = "is protected and would be" if len(gone) == 1 else "are protected and would be"
    return Finding(False, f"{listed([_placed(effect) for effect in gone])} {verb} deleted")


def is_kind(ref: Ref, kinds: Iterable[str]) -> bool:
    """Whether an object is of one of these kinds, given as `Kind` or `Kind.group`."""
    return any(
        ref.kind == kind and (not dot or ref.group == group)
        for kind, dot, group in (each.partition(".") for each in kinds)
    )


def _protects(protected: Protected, effect: Effect, case: Case) -> bool:
    ref = effect.ref
    return (
        (not protected.kinds or is_kind(ref, protected.kinds))
        and _globbed(ref.namespace, protected.namespaces)
        and _globbed(ref.name, protected.names)
        and (protected.selector is None or matches(protected.selector, _labels(ref, case)))
    )


def _globbed(text: str, globs: tuple[str, ...]) -> bool:
    return not globs or any(fnmatchcase(text, glob) for glob in globs)


def _labels(ref: Ref, case: Case) -> Mapping[str, str]:
    """Those that Git gives it; what a controller made has none here."""
    item = case.before.get(ref)
    return (item.obj["metadata"].get("labels") or {}) if item else {}


def _placed(effect: Effect) -> str:
    place = f" ({effect.origin.path}:{effect.origin.line})" if effect.origin.path else ""
    return f"{named(effect.ref)}{place}"
