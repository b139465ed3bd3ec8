"""The reconciler of Klusterlets: what is asked for is made, and said. `farewell` is the end of one.

`agent_objects` makes the objects. Kubeconfigs and tokens need keys and are `gitops_ocm.operator`'s; so are
looks at the hub, which come here as measurements (`connection`).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from gitops_ocm.api.operator_klusterlet import KLUSTERLET_FINALIZER, KLUSTERLET_HOSTED_FINALIZER
from gitops_ocm.decide.contract import DONE, Outcome, Result, Side, View, Want, Write
from gitops_ocm.decide.kinds import NAMESPACE, NODE
from gitops_ocm.decide.operators.agent_objects import ADDON_NAMESPACE_LABEL, klusterlet_plan
from gitops_ocm.decide.operators.agent_spec import CREATED_BY, AgentSpec, is_hosted
from gitops_ocm.decide.operators.connection import HUB_SECRET_MISSING, Connection, connection_of
from gitops_ocm.decide.operators.farewell import Farewell
from gitops_ocm.decide.operators.plan import (
    DEPLOYMENT,
    PLURALS,
    SECRET,
    Plan,
    generations,
    missing,
    related,
    require,
)
from gitops_ocm.decide.operators.pods import PULL_SECRET
from gitops_ocm.decide.operators.removal import SOON, retire
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.operators.state import (
    ROLLING,
    Verdict,
    available,
    gates_verdict,
    live_deployments,
    replicas,
    rolled_out,
    unavailable,
    with_verdicts,
)
from gitops_ocm.decide.writes import (
    add_finalizer,
    after_failure,
    conditions_of,
    errors,
    is_deleting,
    name_of,
    report,
)
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object, Ref, ref_of

READY_TO_APPLY = "ReadyToApply"


class KlusterletOperator:
    """Keeps what a Klusterlet asks for."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings
        self._farewell = Farewell(settings)

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """The writes that are still needed for one Klusterlet."""
        klusterlet = view.get(key)
        if klusterlet is None or not self._mine(klusterlet):
            return DONE
        spec, connection = AgentSpec(klusterlet), connection_of(view, key.name)
        if is_deleting(klusterlet):
            return self._farewell(view, klusterlet, connection, now)
        if finalizers := self._finalizers(klusterlet, spec):
            return Outcome(finalizers)
        if spec.hosted and (connection is None or connection.unreachable):
            return Outcome(self._unprepared(klusterlet, connection, now))
        plan = self._plan(view, klusterlet, spec, connection)
        require(view, [(side, ref_of(obj)) for side, obj in plan.objects()])
        for stage in plan.stages:
            if lacking := missing(view, stage):
                then = partial(self._after, klusterlet, stage.reason, stage.what, now)
                return Outcome(lacking, then=then, keep_going=True)
        mine = view.list(DEPLOYMENT, plan.namespace, labels={CREATED_BY: spec.name})
        if superfluous := retire(obj for obj in mine if name_of(obj) not in plan.deployments):
            return Outcome(superfluous)
        said = self._report(view, klusterlet, spec, plan, connection, now)
        rolling = any(not rolled_out(d) for d in live_deployments(view, plan.namespace, plan.deployments))
        return Outcome(said, requeue_after=ROLLING if rolling else None)

    def _mine(self, klusterlet: Object) -> bool:
        if self._settings.hosted:
            return name_of(klusterlet) == self._settings.hosted
        return not is_hosted(klusterlet)

    def _finalizers(self, klusterlet: Object, spec: AgentSpec) -> tuple[Write, ...]:
        """The second one only once the managed cluster was reached: before, nothing is there to clean."""
        if writes := add_finalizer(klusterlet, KLUSTERLET_FINALIZER):
            return writes
        if spec.hosted and is_true(klusterlet, READY_TO_APPLY):
            return add_finalizer(klusterlet, KLUSTERLET_HOSTED_FINALIZER)
        return ()

    def _plan(self, view: View, klusterlet: Object, spec: AgentSpec, connection: Connection | None) -> Plan:
        pull = Ref(*SECRET, self._settings.namespace, PULL_SECRET)
        require(view, [(Side.HUB, pull)])
        view.require([Want(NODE), Want(DEPLOYMENT, spec.agent_namespace)])
        return klusterlet_plan(
            klusterlet,
            self._settings,
            replicas=replicas(view, self._settings),
            connected=connection is not None and connection.hub != HUB_SECRET_MISSING,
            cluster_name=connection.cluster_name if connection is not None else "",
            pull_secret=view.get(pull),
            addon_namespaces=self._addon_namespaces(view),
        )

    def _addon_namespaces(self, view: View) -> list[str]:
        """The namespaces of the managed cluster that say they are add-ons'."""
        far = self._settings.far
        view.require([Want(NAMESPACE)], far)
        found = view.list(NAMESPACE, labels={ADDON_NAMESPACE_LABEL: "true"}, side=far)
        return [name_of(namespace) for namespace in found if not is_deleting(namespace)]

    # What is said

    def _unprepared(
        self, klusterlet: Object, connection: Connection | None, now: datetime
    ) -> tuple[Write, ...]:
        """Hosted: the managed cluster has to be reached first."""
        why = connection.unreachable if connection is not None else "the managed cluster was not asked yet"
        verdict = Verdict(READY_TO_APPLY, False, "KlusterletPrepareFailed", why)
        generation = klusterlet["metadata"].get("generation")
        return report(
            klusterlet,
            {"conditions": with_verdicts(conditions_of(klusterlet), [verdict], generation, now)},
        )

    def _report(
        self,
        view: View,
        klusterlet: Object,
        spec: AgentSpec,
        plan: Plan,
        connection: Connection | None,
        now: datetime,
    ) -> tuple[Write, ...]:
        running = live_deployments(view, plan.namespace, plan.deployments)
        verdicts = [
            Verdict("Applied", True, "KlusterletApplied", "Klusterlet component applied"),
            *(
                [Verdict(READY_TO_APPLY, True, "KlusterletPrepared", "Klusterlet is ready to apply")]
                if spec.hosted
                else []
            ),
            _available(running, plan),
            *_degraded(spec, running),
            *([connection.verdict()] if connection is not None else []),
            gates_verdict((*spec.registration_gates.unknown, *spec.work_gates.unknown)),
        ]
        generation = klusterlet["metadata"].get("generation")
        return report(
            klusterlet,
            {
                "observedGeneration": generation,
                "conditions": with_verdicts(conditions_of(klusterlet), verdicts, generation, now),
                "generations": generations(running),
                "relatedResources": related([obj for _, obj in plan.objects()], PLURALS),
            },
        )

    def _after(
        self, klusterlet: Object, reason: str, what: str, now: datetime, results: Sequence[Result]
    ) -> Outcome:
        faults = errors(results)
        if not faults:
            return Outcome(requeue_after=SOON)
        again = after_failure(faults)
        if not again.retry:
            return again
        verdict = Verdict("Applied", False, reason, f"Failed to apply {what}: {again.retry}")
        generation = klusterlet["metadata"].get("generation")
        conditions = with_verdicts(conditions_of(klusterlet), [verdict], generation, now)
        said = report(klusterlet, {"observedGeneration": generation, "conditions": conditions})
        return Outcome(said, retry=again.retry)


def _available(running: Sequence[Object], plan: Plan) -> Verdict:
    if absent := sorted({*plan.deployments} - {name_of(obj) for obj in running}):
        return Verdict("Available", False, "GetDeploymentFailed", f"There is no Deployment {absent[0]}")
    if idle := [name_of(obj) for obj in running if available(obj) == 0]:
        message = f"Deployments without an available pod: {', '.join(idle)}"
        return Verdict("Available", False, "NoAvailablePods", message)
    return Verdict("Available", True, "KlusterletAvailable", "Klusterlet deployments are available")


def _degraded(spec: AgentSpec, running: Sequence[Object]) -> list[Verdict]:
    """Whether the agents have the pods they are to have."""
    by_name = {name_of(obj): obj for obj in running}
    found = []
    for condition, suffix in (
        ("RegistrationDesiredDegraded", "registration-agent"),
        ("WorkDesiredDegraded", "work-agent"),
    ):
        name = f"{spec.name}-{'agent' if spec.singleton else suffix}"
        obj = by_name.get(name)
        if obj is None:
            verdict = Verdict(condition, True, "GetDeploymentFailed", f"There is no Deployment {name}")
        elif lacking := unavailable([obj]):
            verdict = Verdict(condition, True, "UnavailablePods", lacking)
        else:
            message = "Deployments replicas are desired"
            verdict = Verdict(condition, False, "DeploymentsFunctional", message)
        found.append(verdict)
    return found
