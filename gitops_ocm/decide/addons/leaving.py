"""What an add-on that is being deleted waits for, in words: for notes of rows and for commands.

Deleting it is nobody's here: the API server, finalizers and the garbage collector do that.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.api.addon_words import (
    HOOK_COMPLETED,
    HOSTING_CLUSTER_ANNOTATION,
    HOSTING_MANIFESTS_FINALIZER,
    HOSTING_PRE_DELETE_FINALIZER,
    PRE_DELETE_HOOK,
)
from gitops_ocm.decide.writes import annotations_of, conditions_of, is_deleting, namespace_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object

FOREGROUND = "foregroundDeletion"


def waits_for(addon: Object) -> str:
    """What a ManagedClusterAddOn that is being deleted waits for; `""` where it is not being deleted."""
    if not is_deleting(addon):
        return ""
    held = sorted(addon["metadata"].get("finalizers") or ())
    return "; ".join(_said(addon, finalizer) for finalizer in held) or "the API server"


def _said(addon: Object, finalizer: str) -> str:
    cluster = namespace_of(addon)
    host = annotations_of(addon).get(HOSTING_CLUSTER_ANNOTATION) or "its hosting cluster"
    known = {
        PRE_DELETE_HOOK: f"its pre-delete hook on {cluster}{_hook(addon)}",
        HOSTING_PRE_DELETE_FINALIZER: f"its pre-delete hook on {host}{_hook(addon)}",
        HOSTING_MANIFESTS_FINALIZER: f"what it has on {host} to be gone",
        FOREGROUND: f"its works on {cluster} to be gone",
    }
    return known.get(finalizer, f"finalizer {finalizer}")


def _hook(addon: Object) -> str:
    told = conditions.find(conditions_of(addon), HOOK_COMPLETED)
    message = str(told.get("message") or "") if told is not None and told.get("status") != "True" else ""
    return f" ({message})" if message else ""


def leaving(addons: Iterable[Object]) -> tuple[str, ...]:
    """One line for each cluster that an add-on is still on."""
    return tuple(f"{namespace_of(a)}: waits for {waits_for(a)}" for a in addons if is_deleting(a))
