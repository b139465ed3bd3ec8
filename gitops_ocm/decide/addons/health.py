"""How add-ons fare, between a cluster and its add-ons: a lost cluster's are Unknown, and labels say the rest.

Both rows are keyed by the ManagedCluster. Whether an add-on is available its agent's lease or its works say;
the hub only takes that back when nobody is left there to say anything. The labels are for placements to
select by.
"""

from __future__ import annotations

import re
from datetime import datetime

from gitops_ocm.api.addon_words import (
    AVAILABLE,
    FEATURE_AVAILABLE,
    FEATURE_LABEL_PREFIX,
    FEATURE_UNHEALTHY,
    FEATURE_UNREACHABLE,
)
from gitops_ocm.api.cluster import AVAILABLE as CLUSTER_AVAILABLE
from gitops_ocm.decide.contract import DONE, Emit, Outcome, View, Write
from gitops_ocm.decide.kinds import CLUSTER_ADDON
from gitops_ocm.decide.writes import conditions_of, is_deleting, labels_of, locked_patch, name_of, report
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

_LABEL_NAME = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?")


def reconcile_unknown(view: View, key: Ref, now: datetime) -> Outcome:
    """Give the add-ons of a cluster that is Unknown the cluster's own Available condition."""
    cluster = view.get(key)
    found = conditions.find(conditions_of(cluster), CLUSTER_AVAILABLE) if cluster is not None else None
    if found is None or found.get("status") != "Unknown":
        return DONE
    writes: list[Write] = []
    for addon in view.list(CLUSTER_ADDON, key.name):
        wanted = conditions.with_condition(
            conditions_of(addon),
            type=AVAILABLE,
            status="Unknown",
            reason=str(found.get("reason", "")),
            message=str(found.get("message", "")),
            now=now,
        )
        if patch := report(addon, {"conditions": wanted}):
            writes += [*patch, _event(addon, key.name)]
    return Outcome(tuple(writes), keep_going=True)


def _event(addon: Object, cluster: str) -> Emit:
    text = f'update addon "{name_of(addon)}" status to unknown on managed cluster "{cluster}"'
    reason = "ManagedClusterAddOnStatusUpdated"
    return Emit(addon, reason, text, action=reason)


def reconcile_features(view: View, key: Ref, now: datetime) -> Outcome:
    """Label a cluster with the add-ons it has and how they fare."""
    cluster = view.get(key)
    if cluster is None or is_deleting(cluster):
        return DONE
    if conditions.find(conditions_of(cluster), CLUSTER_AVAILABLE) is None:
        return DONE  # not yet joined: nothing is known of it
    addons = [addon for addon in view.list(CLUSTER_ADDON, key.name) if not is_deleting(addon)]
    fitting = [addon for addon in addons if _LABEL_NAME.fullmatch(_label(addon).partition("/")[2])]
    wanted = {_label(addon): feature(addon) for addon in fitting}
    have = {k: v for k, v in labels_of(cluster).items() if k.startswith(FEATURE_LABEL_PREFIX)}
    changed: dict[str, str | None] = {k: v for k, v in sorted(wanted.items()) if have.get(k) != v}
    changed |= dict.fromkeys(sorted(have.keys() - wanted.keys()))
    notes = tuple(f"{name_of(a)} is too long a name for a label" for a in addons if a not in fitting)
    if not changed:
        return Outcome(notes=notes)
    return Outcome((locked_patch(cluster, {"metadata": {"labels": changed}}),), notes=notes)


def _label(addon: Object) -> str:
    return FEATURE_LABEL_PREFIX + name_of(addon)


def feature(addon: Object) -> str:
    """The value of an add-on's label: how it fares, as far as anybody has said."""
    found = conditions.find(conditions_of(addon), AVAILABLE)
    status = found.get("status") if found is not None else None
    return {"True": FEATURE_AVAILABLE, "False": FEATURE_UNHEALTHY}.get(str(status), FEATURE_UNREACHABLE)


# --- what wakes the rows ----------------------------------------------------------------------------


def feature_changes(old: Object | None, new: Object | None) -> bool:
    """Whether an add-on comes, goes, or fares otherwise."""
    if old is None or new is None:
        return True
    return is_deleting(old) != is_deleting(new) or feature(old) != feature(new)
