"""Add-ons a part of which runs on another cluster, the hosting one.

Which cluster that is an annotation of the ManagedClusterAddOn says, which part an annotation of each
manifest. Works over there have no owner here, so a finalizer sees to it that they go.
"""

from __future__ import annotations

from collections.abc import Callable

from gitops_ocm.api.addon_words import (
    HOSTING_CLUSTER_INVALID,
    HOSTING_CLUSTER_VALID,
    HOSTING_MANIFEST_APPLIED,
    HOSTING_MANIFESTS_FINALIZER,
    HOSTING_PRE_DELETE_FINALIZER,
)
from gitops_ocm.decide.addons import hooks
from gitops_ocm.decide.addons.agent import Agent, AgentFailed, hosting_cluster
from gitops_ocm.decide.addons.deploy_works import Side
from gitops_ocm.decide.addons.draft import Draft
from gitops_ocm.decide.addons.standing_works import held_elsewhere
from gitops_ocm.decide.kinds import MANIFEST_WORK, cluster_ref
from gitops_ocm.decide.writes import delete, is_deleting
from gitops_ocm.objects.ref import Object, Ref

Deploy = Callable[[Draft, Agent, Side, str], None]


def plan(draft: Draft, agent: Agent, cluster: Object, deploy: Deploy) -> None:
    """Draft what is on the hosting cluster; away with it where there is none any more."""
    name = hosting_cluster(draft.addon)
    if name is None:
        _clear(draft)
        return
    host = draft.view.get(cluster_ref(name))
    draft.conditions.append(
        (HOSTING_CLUSTER_VALID if host is not None else HOSTING_CLUSTER_INVALID).saying(cluster=name)
    )
    if host is None:
        _clear(draft)
        return
    if not draft.has_finalizer(HOSTING_PRE_DELETE_FINALIZER):
        if is_deleting(host) or is_deleting(draft.addon):
            _clear(draft)
            return
        if is_deleting(cluster):
            return
    if not draft.hold(HOSTING_MANIFESTS_FINALIZER):
        deploy(draft, agent, Side(draft.addon, name, hosting=True), HOSTING_MANIFEST_APPLIED)
        _leave(draft, name)


def _clear(draft: Draft) -> None:
    """Take everything off hosting clusters."""
    if draft.has_finalizer(HOSTING_MANIFESTS_FINALIZER):
        _leave(draft, "")
        draft.release(HOSTING_MANIFESTS_FINALIZER)


def _leave(draft: Draft, stay: str) -> None:
    """Take works off hosting clusters that it is not any more."""
    works = held_elsewhere(draft.view, draft.addon, of_hooks=False)
    draft.deletions += [w for work in works if work["metadata"]["namespace"] != stay for w in delete(work)]


def plan_hooks(draft: Draft) -> None:
    """Draft the hooks on the hosting cluster."""
    name = hosting_cluster(draft.addon)
    host = draft.view.get(cluster_ref(name)) if name is not None else None
    if name is None:
        return
    if host is None or is_deleting(host):
        _clear_hooks(draft)
        return
    side = Side(draft.addon, name, hosting=True)
    live = draft.view.get(Ref(*MANIFEST_WORK, side.cluster, side.hook))
    found = hooks.hook_on(draft, side, HOSTING_MANIFEST_APPLIED, live, hosted=True)
    if isinstance(found, AgentFailed):
        return
    if found is None:
        draft.release(HOSTING_PRE_DELETE_FINALIZER)
        return
    if draft.hold(HOSTING_PRE_DELETE_FINALIZER) or not is_deleting(draft.addon):
        return
    if not draft.has_finalizer(HOSTING_PRE_DELETE_FINALIZER):
        return
    draft.part(side, HOSTING_MANIFEST_APPLIED).plan([found], ())
    if hooks.run(draft, side, live):
        _clear_hooks(draft)


def _clear_hooks(draft: Draft) -> None:
    if draft.has_finalizer(HOSTING_PRE_DELETE_FINALIZER):
        works = held_elsewhere(draft.view, draft.addon, of_hooks=True)
        draft.deletions += [write for work in works for write in delete(work)]
        draft.release(HOSTING_PRE_DELETE_FINALIZER)
