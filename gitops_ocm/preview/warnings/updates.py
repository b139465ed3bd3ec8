"""Manifests that a cluster's server would refuse to change: a selector, a claim's size, a job's template.

Asked of the rules by which the embedded server judges updates (`objects.rules`, `objects.native`), with what
the work held before for what is there. What the new object would be refused for anyway is not told of here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from gitops_ocm.decide.addons.deploy_works import guessed_plural
from gitops_ocm.decide.agent.options import SERVER_SIDE, UPDATE, options_for
from gitops_ocm.objects import native
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.faults import ApiError, Cause
from gitops_ocm.objects.intake import decoded, prepared
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.rules.table import RULES

_VALUE = "Invalid value: "


def refusals(ref: Ref, old: Object, new: Object, catalog: Catalog) -> Sequence[Cause]:
    """Why a server would not make the one of the other; nothing for kinds whose rules are not known here."""
    served = catalog.served(str(new.get("apiVersion")), ref.kind)
    if served is None or served.custom or old.get("apiVersion") != new.get("apiVersion"):
        return ()
    try:
        was, now = (prepared(decoded(obj, served)[0], served) for obj in (old, new))
    except ApiError:
        return ()
    alone = set(_causes(ref, now, None))
    return [cause for cause in _causes(ref, now, was) if cause not in alone]


def _causes(ref: Ref, obj: Object, old: Object | None) -> Iterator[Cause]:
    rule = RULES.get(ref.of)
    yield from rule(obj, old) if rule is not None else native.causes(obj, old, ref.of)


def is_updated(ref: Ref, work: Object) -> bool:
    """Whether the work's options have its agent change an object that is there."""
    identity = ref.group, guessed_plural(ref.kind), ref.namespace, ref.name
    return options_for(work, identity).strategy in (UPDATE, SERVER_SIDE)


def told(cause: Cause) -> str:
    """The field and why, without the value: that may be nobody's business."""
    why = cause.message.rpartition(": ")[2] if cause.message.startswith(_VALUE) else cause.message
    return f"{cause.field}: {why}"
