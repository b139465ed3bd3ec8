"""What every ManagedClusterAddOn carries: its add-on as owner, and its cluster's add-on annotations.

The row is keyed by the ManagedClusterAddOn, those that a person made too. Owner references and annotations
are merge patches locked to a version: a reference to an earlier add-on of the same name has to give way to
the new one in one write, whoever put it there, which no server-side apply can say.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from gitops_ocm.api.addon_words import ADDON_ANNOTATION_PREFIX
from gitops_ocm.decide.addons.install import cma_ref
from gitops_ocm.decide.addons.management import (
    BY_NAME,
    MANAGER,
    expressed,
    handed_on,
    is_ours,
    is_placed,
    owned_by,
)
from gitops_ocm.decide.contract import DONE, Outcome, View
from gitops_ocm.decide.kinds import CLUSTER_ADDON, cluster_ref
from gitops_ocm.decide.writes import annotations_of, is_deleting, locked_patch, name_of
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ownership import fields_owned_by
from gitops_ocm.objects.ref import Object, Ref, ref_of


def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
    """Reconcile one ManagedClusterAddOn."""
    addon, cma = view.get(key), view.get(cma_ref(key.name))
    if addon is None or is_deleting(addon) or cma is None or not is_ours(cma):
        return DONE
    body: dict[str, Any] = {"metadata": {}}
    held = addon["metadata"].get("ownerReferences") or []
    owners = owned_by(view, cma, held)
    if sorted(owners, key=_identity) != sorted(held, key=_identity):
        body["metadata"]["ownerReferences"] = owners
    cluster = view.get(cluster_ref(key.namespace))
    if is_placed(cma) and cluster is not None and not is_deleting(cluster):
        marks, spec = expressed(handed_on(cluster), addon["apiVersion"])
        if changed := _changes(addon, marks):
            body["metadata"]["annotations"] = changed
        if not covers(spec, addon.get("spec") or {}):
            body["spec"] = spec
    return Outcome((locked_patch(addon, body),)) if body != {"metadata": {}} else DONE


def _identity(owner: Any) -> str:
    return str(owner.get("uid"))


def _changes(addon: Object, wanted: dict[str, str]) -> dict[str, str | None]:
    """What to set, and (as None) what to take away: only what this row put there itself.

    A person's own annotations on a ManagedClusterAddOn, its Helm values say, are not the cluster's to remove.
    """
    have = annotations_of(addon)
    owned = fields_owned_by(addon, MANAGER).get("f:metadata", {}).get("f:annotations", {})
    ours = {key for key in have if key.startswith(ADDON_ANNOTATION_PREFIX) and f"f:{key}" in owned}
    changed: dict[str, str | None] = {k: v for k, v in wanted.items() if have.get(k) != v}
    return {**changed, **dict.fromkeys(sorted(ours - wanted.keys()))}


# --- what wakes the row -----------------------------------------------------------------------------


def of_cma(view: View, cma: Object) -> Iterable[Ref]:
    """The installations of an add-on."""
    return [ref_of(addon) for addon in view.indexed(BY_NAME, name_of(cma))]


def of_cluster(view: View, cluster: Object) -> Iterable[Ref]:
    """The add-ons on a cluster."""
    return [ref_of(addon) for addon in view.list(CLUSTER_ADDON, name_of(cluster))]


def cma_changes(old: Object | None, new: Object | None) -> bool:
    """Whether an add-on changes in what matters here: its progress does not."""
    return old is None or new is None or _essence(old) != _essence(new)


def _essence(cma: Object) -> tuple[object, ...]:
    meta = cma["metadata"]
    return meta.get("uid"), meta.get("deletionTimestamp"), annotations_of(cma), cma.get("spec")


def handing_changes(old: Object | None, new: Object | None) -> bool:
    """Whether a cluster comes, or hands on other annotations."""
    return new is not None and (old is None or handed_on(old) != handed_on(new))
