"""The end of a Klusterlet: everything made for it goes, what works have applied stays.

The order is OCM's: agents, marks on definitions, finalizers of AppliedManifestWorks, rights and namespaces on
the managed cluster, then what is on the management cluster. A hosted Klusterlet's cluster may be gone for
good; after a grace it is given up.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from gitops_ocm.api.operator_klusterlet import (
    HUB_KUBECONFIG_SECRET,
    KLUSTERLET_FINALIZER,
    KLUSTERLET_HOSTED_FINALIZER,
)
from gitops_ocm.api.work import APPLIED_WORK_FINALIZER
from gitops_ocm.decide.contract import MergePatch, Outcome, Side, View, Want, Write
from gitops_ocm.decide.kinds import APPLIED_WORK, NAMESPACE
from gitops_ocm.decide.operators.agent_objects import (
    ADDON_NAMESPACE,
    AGGREGATE_ROLE,
    KUBE_SYSTEM,
    klusterlet_plan,
    spoke_crds,
)
from gitops_ocm.decide.operators.agent_spec import EXTERNAL_KUBECONFIG, AgentSpec
from gitops_ocm.decide.operators.connection import Connection
from gitops_ocm.decide.operators.plan import DEPLOYMENT, DIGEST, SECRET, VERSION, require
from gitops_ocm.decide.operators.removal import next_step
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.writes import (
    annotations_of,
    drop_finalizer,
    locked_patch,
    name_of,
    seconds_until,
    time_at,
)
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of

EVICTION = "operator.open-cluster-management.io/managed-resources-eviction-timestamp"
GRACE = timedelta(minutes=5)
KLUSTERLET = Kind("operator.open-cluster-management.io", "Klusterlet")
Step = list[tuple[Side, Ref]]


class Farewell:
    """Takes away what a Klusterlet has brought."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings

    def __call__(
        self, view: View, klusterlet: Object, connection: Connection | None, now: datetime
    ) -> Outcome:
        """The next step of the end."""
        spec = AgentSpec(klusterlet)
        agents = [
            (Side.HUB, Ref(*DEPLOYMENT, spec.agent_namespace, f"{spec.name}-{suffix}"))
            for suffix in ("registration-agent", "work-agent", "agent")
        ]
        require(view, agents)
        if under_way := next_step(view, [agents]):
            return under_way
        if not self._give_up_far(klusterlet, spec):
            if spec.hosted and (connection is None or connection.unreachable):
                given_up = _evicted(klusterlet, now)
                if given_up is not None:
                    return given_up
            elif (outcome := self._far(view, klusterlet, spec)) is not None:
                return outcome
        return self._near(view, klusterlet, spec)

    def _give_up_far(self, klusterlet: Object, spec: AgentSpec) -> bool:
        """Hosted: nothing was ever made on the managed cluster."""
        held = klusterlet["metadata"].get("finalizers") or []
        return spec.hosted and KLUSTERLET_HOSTED_FINALIZER not in held

    def _far(self, view: View, klusterlet: Object, spec: AgentSpec) -> Outcome | None:
        """On the managed cluster; None when all is done there."""
        side = self._settings.far
        plan = klusterlet_plan(klusterlet, self._settings, replicas=0)
        kept = {ref_of(crd) for crd in spoke_crds(self._settings.version)}
        require(view, [(side, ref) for ref in sorted(kept)])
        if writes := self._unmark(view, kept):
            return Outcome(writes)
        if served := view.resource("work.open-cluster-management.io/v1", APPLIED_WORK.kind, side):
            view.require([Want(served.of)], side)
            if writes := _released(view, spec.uid, side):
                return Outcome(writes)
        view.require([Want(KLUSTERLET)])
        others = [k for k in view.list(KLUSTERLET) if name_of(k) != spec.name]
        rights = [ref_of(obj) for stage in plan.stages[1:2] for obj in stage.objects]
        names = [ref for ref in rights if ref.kind == "Namespace"]
        aggregate = [ref for ref in rights if ref.name == AGGREGATE_ROLE]
        inside = [ref for ref in rights if ref not in names and ref not in aggregate]
        own = [Ref(*NAMESPACE, "", spec.namespace)]
        shared = [] if others else [Ref(*NAMESPACE, "", ADDON_NAMESPACE)]
        steps: list[Step] = [
            [(side, ref) for ref in step]
            for step in (
                [ref for ref in inside if ref.namespace != ADDON_NAMESPACE],
                aggregate,
                [*own, *shared],
            )
        ]
        require(view, [entry for step in steps for entry in step])
        return next_step(view, steps)

    def _unmark(self, view: View, crds: set[Ref]) -> tuple[Write, ...]:
        """The definitions stay: works may be left. But they are no longer ours to judge by version."""
        found: list[MergePatch] = []
        for ref in sorted(crds):
            live = view.get(ref, self._settings.far)
            if live is not None and VERSION in annotations_of(live):
                body = {"metadata": {"annotations": {VERSION: None, DIGEST: None}}}
                found.append(locked_patch(live, body, self._settings.far))
        return tuple(found)

    def _near(self, view: View, klusterlet: Object, spec: AgentSpec) -> Outcome:
        """On the management cluster; the namespace of a hosted one goes last."""
        plan = klusterlet_plan(klusterlet, self._settings, replicas=0)
        rights = [ref_of(obj) for obj in plan.stages[2].objects]
        secrets = [Ref(*SECRET, spec.agent_namespace, name) for name in _secrets(spec)]
        first = [
            ref
            for ref in (*secrets, *rights)
            if ref.kind != "Namespace" and ref.namespace in (spec.agent_namespace, KUBE_SYSTEM, "")
        ]
        last = [Ref(*NAMESPACE, "", spec.agent_namespace)]
        steps: list[Step] = [[(Side.HUB, ref) for ref in step] for step in (first, last)]
        require(view, [entry for step in steps for entry in step])
        if under_way := next_step(view, steps):
            return under_way
        for finalizer in (KLUSTERLET_HOSTED_FINALIZER, KLUSTERLET_FINALIZER):
            if writes := drop_finalizer(klusterlet, finalizer):
                return Outcome(writes)
        return Outcome()


def _released(view: View, agent: str, side: Side) -> tuple[Write, ...]:
    """Take this agent's finalizer off its AppliedManifestWorks, which stay with all they own."""
    return tuple(
        write
        for work in view.list(APPLIED_WORK, side=side)
        if (work.get("spec") or {}).get("agentID") == agent
        for write in drop_finalizer(work, APPLIED_WORK_FINALIZER, side)
    )


def _evicted(klusterlet: Object, now: datetime) -> Outcome | None:
    """None once the managed cluster has been away for long enough."""
    since = time_at(annotations_of(klusterlet).get(EVICTION))
    if since is None:
        body = {"metadata": {"annotations": {EVICTION: timestamp(now)}}}
        return Outcome((locked_patch(klusterlet, body),), requeue_after=GRACE.total_seconds())
    if now - since < GRACE:
        return Outcome(requeue_after=seconds_until(since + GRACE, now))
    return None


def _secrets(spec: AgentSpec) -> list[str]:
    if not spec.hosted:
        return [HUB_KUBECONFIG_SECRET]
    return [HUB_KUBECONFIG_SECRET, EXTERNAL_KUBECONFIG, *spec.external_secrets.values()]
