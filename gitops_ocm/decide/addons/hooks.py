"""Hooks: the Jobs and Pods of an add-on that run on its cluster before it goes.

A finalizer holds the ManagedClusterAddOn until they are through. Without a word on what configuration holds
nothing is decided: a finalizer that went meanwhile would let the add-on go without its hooks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.api.addon_words import HOOK_DONE, HOOK_NOT_DONE, MANIFEST_APPLIED, PRE_DELETE_HOOK
from gitops_ocm.api.work import AVAILABLE
from gitops_ocm.decide.addons.agent import AgentFailed, said
from gitops_ocm.decide.addons.deploy_works import Side, belonging, hook_work
from gitops_ocm.decide.addons.draft import Draft
from gitops_ocm.decide.addons.packing import Unpackable
from gitops_ocm.decide.kinds import MANIFEST_WORK
from gitops_ocm.decide.writes import is_deleting, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

_COMPLETE: Mapping[str, tuple[str, str]] = {
    "jobs": ("JobComplete", "True"),
    "pods": ("PodPhase", "Succeeded"),
}


def plan(draft: Draft, side: Side, *, hosted: bool) -> None:
    """Draft the hooks on the add-on's own cluster."""
    live = draft.view.get(Ref(*MANIFEST_WORK, side.cluster, side.hook))
    found = hook_on(draft, side, MANIFEST_APPLIED, live, hosted=hosted)
    if isinstance(found, AgentFailed):
        return
    if found is None:
        draft.release(PRE_DELETE_HOOK)
        return
    if draft.hold(PRE_DELETE_HOOK) or not is_deleting(draft.addon):
        return
    draft.part(side, MANIFEST_APPLIED).plan([found], ())
    if run(draft, side, live):
        draft.release(PRE_DELETE_HOOK)


def hook_on(
    draft: Draft, side: Side, condition: str, live: Object | None, *, hosted: bool
) -> Object | AgentFailed | None:
    """The work with the hooks of one side; what was once written where nobody can say any more."""
    if isinstance(draft.objects, AgentFailed):
        if live is not None:
            kept = {key: live["metadata"][key] for key in ("name", "namespace", "labels")}
            return {"apiVersion": live["apiVersion"], "kind": live["kind"], "metadata": kept} | {
                "spec": live["spec"]
            }
        if draft.has_finalizer(PRE_DELETE_HOOK) and is_deleting(draft.addon):
            draft.part(side, condition).failed(
                f"failed to get manifest from agent interface: {said(draft.objects)}"
            )
        return draft.objects
    try:
        return hook_work(side, belonging(draft.objects, hosted=hosted, hosting=side.hosting))
    except Unpackable as error:
        draft.part(side, condition).failed(f"failed to build manifestwork: {said(error)}")
        return AgentFailed(error.message, hint=error.hint)


def run(draft: Draft, side: Side, live: Object | None) -> bool:
    """Say how the hooks stand; whether they are through."""
    done = live is not None and _is_complete(live)
    message = f"hook manifestWork {side.hook} is {'' if done else 'not '}completed."
    draft.conditions.append((HOOK_DONE if done else HOOK_NOT_DONE)._replace(message=message))
    return done


def _is_complete(work: Object) -> bool:
    configs = (work.get("spec") or {}).get("manifestConfigs") or ()
    if not conditions.is_true(work, AVAILABLE) or not configs:
        return False
    manifests = (status_of(work).get("resourceStatus") or {}).get("manifests") or ()
    return all(_has_run(config.get("resourceIdentifier") or {}, manifests) for config in configs)


def _has_run(identifier: Mapping[str, Any], manifests: Any) -> bool:
    name, wanted = _COMPLETE.get(str(identifier.get("resource")), ("", ""))
    for manifest in manifests:
        meta = manifest.get("resourceMeta") or {}
        if all(
            (meta.get(k) or "") == (identifier.get(k) or "")
            for k in ("group", "resource", "name", "namespace")
        ):
            values = (manifest.get("statusFeedback") or {}).get("values") or ()
            return any(v["name"] == name and (v["fieldValue"].get("string") == wanted) for v in values)
    return False
