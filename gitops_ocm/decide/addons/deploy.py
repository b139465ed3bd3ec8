"""Deploys the agents of add-ons: ManifestWorks for their manifests, and what becomes of these in the status.

One reconcile of a ManagedClusterAddOn goes through what concerns it, part by part: its own cluster, the one
that hosts it (`hosted`), what runs before it goes (`hooks`), its health. They add to one `Draft`; finalizers
come first, then the works, then one write of the status.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.addon_words import (
    CONFIGURED,
    MANIFEST_APPLIED,
    PRE_DELETE_HOOK,
    REGISTRATION_APPLIED,
)
from gitops_ocm.api.cluster import AVAILABLE as CLUSTER_AVAILABLE
from gitops_ocm.decide.addons import hooks, hosted
from gitops_ocm.decide.addons.agent import Agent, AgentFailed, Agents, hosting_cluster, said, tell
from gitops_ocm.decide.addons.deploy_works import Side, Works, belonging, deploy_works, merged_configs
from gitops_ocm.decide.addons.draft import Draft
from gitops_ocm.decide.addons.management import served_version
from gitops_ocm.decide.addons.packing import Unpackable
from gitops_ocm.decide.addons.standing_works import works_of
from gitops_ocm.decide.addons.turns import stays_as_it_is
from gitops_ocm.decide.addons.versions import VERSION, at_beta
from gitops_ocm.decide.contract import DONE, Outcome, Result, View
from gitops_ocm.decide.kinds import CLUSTER_ADDON, cluster_ref
from gitops_ocm.decide.writes import after_failure, conditions_of, errors, is_deleting, namespace_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref


@dataclass(frozen=True)
class Deploy:
    """Reconciles the deployment of the add-ons that `agents` knows."""

    agents: Agents

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedClusterAddOn."""
        live = view.get(key)
        if live is None:
            return DONE
        addon = at_beta(live)
        agent, cluster = self.agents(view, addon), view.get(cluster_ref(key.namespace))
        if agent is None or cluster is None:
            return DONE
        if conditions.find(conditions_of(addon), REGISTRATION_APPLIED) is None:
            return Outcome(notes=("waits for its registration",))
        draft = _drafted(view, agent, cluster, addon)
        if marks := draft.finalizer_writes(live):
            return Outcome(marks)
        if not _is_unknown(cluster):
            draft.judge(agent)
        draft.fields["healthCheck"] = {"mode": agent.probe.mode}
        return _carried_out(draft, live, now)


def _drafted(view: View, agent: Agent, cluster: Object, addon: Object) -> Draft:
    draft = Draft(view, addon, objects=_objects(view, agent, cluster, addon))
    # What is being deleted nobody configures any more; its hooks are to run all the same.
    if agent.waits_for_config and not is_deleting(addon) and not conditions.is_true(addon, CONFIGURED):
        return draft
    served = served_version(view, CLUSTER_ADDON) or VERSION
    own = Side(addon, namespace_of(addon), owner_version=served)
    if not (is_deleting(addon) or is_deleting(cluster)) or draft.has_finalizer(PRE_DELETE_HOOK):
        deploy(draft, agent, own, MANIFEST_APPLIED)
    if agent.hosts:
        hosted.plan(draft, agent, cluster, deploy)
    hooks.plan(draft, own, hosted=agent.hosts and _is_hosted(addon))
    if agent.hosts:
        hosted.plan_hooks(draft)
    return draft


def _objects(view: View, agent: Agent, cluster: Object, addon: Object) -> Sequence[Object] | AgentFailed:
    try:
        return agent.manifests(view, cluster, addon)
    except AgentFailed as error:
        return error


def deploy(draft: Draft, agent: Agent, side: Side, condition: str) -> None:
    """Draft the works of one side; what stands in the way is a condition of that type."""
    part = draft.part(side, condition)
    if isinstance(draft.objects, AgentFailed):
        part.failed(f"failed to get manifest from agent interface: {said(draft.objects)}")
        return
    existing = works_of(draft.view, side)
    if stays_as_it_is(draft.view, draft.addon, existing):
        part.plan(existing, ())
        return
    try:
        works = _works(draft, agent, side, draft.objects, existing)
    except (Unpackable, AgentFailed) as error:
        part.failed(f"failed to build manifestwork: {said(error)}")
        return
    if not works.wanted:
        part.nothing()
    part.plan(works.wanted, [work for work in existing if work["metadata"]["name"] in works.gone])


def _works(
    draft: Draft, agent: Agent, side: Side, objects: Sequence[Object], existing: Sequence[Object]
) -> Works:
    here = belonging(objects, hosted=agent.hosts and _is_hosted(draft.addon), hosting=side.hosting)
    configs = merged_configs(agent.probe.configs(objects), agent.manifest_configs(draft.view, draft.addon))
    return deploy_works(side, here, configs, existing)


def _is_hosted(addon: Object) -> bool:
    return hosting_cluster(addon) is not None


def _is_unknown(cluster: Object) -> bool:
    found = conditions.find(conditions_of(cluster), CLUSTER_AVAILABLE)
    return found is not None and found.get("status") == "Unknown"


def _carried_out(draft: Draft, live: Object, now: datetime) -> Outcome:
    """Write the works, then say how that went."""
    writes = draft.writes()

    def then(results: Sequence[Result]) -> Outcome:
        failures = {id(r.write): said(r.error) for r in results if r.error is not None}
        told = tell(live, draft.told(failures), now)
        faults = errors(results)
        if not faults:
            return Outcome(told)
        after = after_failure(faults)
        return Outcome(told, requeue_after=after.requeue_after, retry=after.retry)

    return Outcome(tuple(writes), then=then, keep_going=True) if writes else then(())
