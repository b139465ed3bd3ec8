"""The reconciler of ClusterManagers: what is asked for is made, said, and in the end taken away again.

`hub_objects` makes the objects. Certificates and tokens need keys and are `gitops_ocm.operator`'s: a CA in
`ca-bundle-configmap` is what the webhooks' configurations wait for.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import partial

from gitops_ocm.api.operator import CLUSTER_MANAGER_FINALIZER
from gitops_ocm.decide.contract import DONE, Outcome, Result, Side, View, Want, Write
from gitops_ocm.decide.kinds import NODE
from gitops_ocm.decide.operators.hub_objects import (
    CA_BUNDLE,
    CA_KEY,
    CREATED_BY,
    hub_plan,
    namespace_for,
)
from gitops_ocm.decide.operators.hub_parts import hosted, hub_gates
from gitops_ocm.decide.operators.plan import (
    CONFIG_MAP,
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
from gitops_ocm.decide.operators.removal import SOON, next_step, retire
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.operators.state import (
    ROLLING,
    Verdict,
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
    drop_finalizer,
    errors,
    is_deleting,
    name_of,
    report,
)
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of

CRDS_IN_ORDER = (
    "managedclusteraddons.addon.open-cluster-management.io",
    "manifestworks.work.open-cluster-management.io",
    "managedclusters.cluster.open-cluster-management.io",
    "manifestworkreplicasets.work.open-cluster-management.io",
)
"""Deleted first, one after the other: what they hold needs the hub's controllers to go in peace."""
MADE_HERE = (
    "signer-secret",
    "registration-webhook-serving-cert",
    "work-webhook-serving-cert",
    "addon-webhook-serving-cert",
    PULL_SECRET,
)
CONFIGURATION = Ref(
    "admissionregistration.k8s.io",
    "MutatingWebhookConfiguration",
    "",
    "managedclustermutators.admission.cluster.open-cluster-management.io",
)


class HubOperator:
    """Keeps what a ClusterManager asks for."""

    def __init__(self, settings: OperatorSettings) -> None:
        self._settings = settings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """The writes that are still needed for one ClusterManager."""
        cm = view.get(key)
        if cm is None or not self._mine(cm):
            return DONE
        if is_deleting(cm):
            return self._end(view, cm)
        if writes := add_finalizer(cm, CLUSTER_MANAGER_FINALIZER):
            return Outcome(writes)
        plan = self._plan(view, cm)
        require(view, [(side, ref_of(obj)) for side, obj in plan.objects()])
        for stage in plan.stages:
            if lacking := missing(view, stage):
                then = partial(self._after, cm, stage.reason, stage.what, now)
                return Outcome(lacking, then=then, keep_going=True)
        if superfluous := self._superfluous(view, cm, plan):
            return Outcome(superfluous)
        said = self._report(view, cm, plan, now)
        rolling = any(not rolled_out(d) for d in live_deployments(view, plan.namespace, plan.deployments))
        return Outcome(said, requeue_after=ROLLING if rolling else None)

    def _mine(self, cm: Object) -> bool:
        if self._settings.in_process:
            return True
        return name_of(cm) == self._settings.hosted if self._settings.hosted else not hosted(cm)

    # What is wanted

    def _plan(self, view: View, cm: Object) -> Plan:
        if self._settings.in_process:
            view.require([Want(DEPLOYMENT, namespace_for(cm))])
            return hub_plan(cm, self._settings, replicas=1)
        settings, where = self._settings, namespace_for(cm)
        pull = Ref(*SECRET, settings.namespace, PULL_SECRET)
        bundle = Ref(*CONFIG_MAP, where, CA_BUNDLE)
        require(view, [(Side.HUB, pull), (Side.HUB, bundle), (settings.far, CONFIGURATION)])
        view.require([Want(NODE), Want(DEPLOYMENT, where)])
        count = replicas(view, settings)
        first = hub_plan(cm, settings, replicas=count)
        running = live_deployments(view, where, first.deployments)
        ready = len(running) == len(first.deployments) and all(map(rolled_out, running))
        # Once there, the configurations stay: a restart of a webhook is no reason to let everything pass.
        kept = view.get(CONFIGURATION, settings.far) is not None
        ca = _ca(view.get(bundle)) if ready or kept else ""
        return hub_plan(cm, settings, replicas=count, ca_bundle=ca, pull_secret=view.get(pull))

    def _superfluous(self, view: View, cm: Object, plan: Plan) -> tuple[Write, ...]:
        """Deployments of components that are no longer asked for."""
        if self._settings.in_process:
            return ()
        mine = view.list(DEPLOYMENT, plan.namespace, labels={CREATED_BY: name_of(cm)})
        return retire(obj for obj in mine if name_of(obj) not in plan.deployments)

    # What is said

    def _report(self, view: View, cm: Object, plan: Plan, now: datetime) -> tuple[Write, ...]:
        running = live_deployments(view, plan.namespace, plan.deployments)
        verdicts = [
            Verdict("Applied", True, "ClusterManagerApplied", "Components of cluster manager are applied"),
            self._progress(running, plan),
            *self._degraded(cm, running),
            gates_verdict(hub_gates(cm.get("spec") or {}).unknown),
        ]
        generation = cm["metadata"].get("generation")
        return report(
            cm,
            {
                "observedGeneration": generation,
                "conditions": with_verdicts(conditions_of(cm), verdicts, generation, now),
                "generations": generations(running),
                "relatedResources": related([obj for _, obj in plan.objects()], PLURALS),
            },
        )

    def _progress(self, running: Sequence[Object], plan: Plan) -> Verdict:
        rolling = sorted(
            {*plan.deployments} - {name_of(obj) for obj in running}
            | {name_of(obj) for obj in running if not rolled_out(obj)}
        )
        if rolling:
            message = f"Deployments still rolling: {', '.join(rolling)}"
            return Verdict("Progressing", True, "ClusterManagerDeploymentRolling", message)
        message = "Components of cluster manager are up to date"
        return Verdict("Progressing", False, "ClusterManagerUpToDate", message)

    def _degraded(self, cm: Object, running: Sequence[Object]) -> list[Verdict]:
        by_name = {name_of(obj): obj for obj in running}
        found = []
        for word, parts in (
            ("Registration", ("registration-controller", "registration-webhook")),
            ("Placement", ("placement-controller",)),
        ):
            wanted = [f"{name_of(cm)}-{part}" for part in parts]
            absent = [] if self._settings.in_process else [name for name in wanted if name not in by_name]
            lacking = unavailable([by_name[name] for name in wanted if name in by_name])
            if absent:
                reason, message = f"Get{word}DeploymentFailed", f"There is no Deployment {absent[0]}"
            elif lacking:
                reason, message = f"Unavailable{word}Pod", lacking
            else:
                reason, message = f"{word}Functional", f"{word} is managing credentials"
                if word == "Placement":
                    message = "Placement is scheduling placement decisions"
            found.append(Verdict(f"Hub{word}Degraded", bool(absent or lacking), reason, message))
        return found

    def _after(self, cm: Object, reason: str, what: str, now: datetime, results: Sequence[Result]) -> Outcome:
        """Nothing to say about writes that went well: their coming back wakes the key."""
        faults = errors(results)
        if not faults:
            return Outcome(requeue_after=SOON)
        again = after_failure(faults)
        if not again.retry:
            return again
        verdict = Verdict("Applied", False, reason, f"Failed to apply {what}: {again.retry}")
        generation = cm["metadata"].get("generation")
        conditions = with_verdicts(conditions_of(cm), [verdict], generation, now)
        said = report(cm, {"observedGeneration": generation, "conditions": conditions})
        return Outcome(said, retry=again.retry)

    # The end

    def _end(self, view: View, cm: Object) -> Outcome:
        plan, far = self._plan(view, cm), self._settings.far
        where = namespace_for(cm)
        made = [Ref(*SECRET, where, name) for name in MADE_HERE] + [Ref(*CONFIG_MAP, where, CA_BUNDLE)]
        refs = [(side, ref_of(obj)) for side, obj in plan.objects()]
        crds = [(far, ref) for _, ref in refs if ref.kind == "CustomResourceDefinition"]
        rest = [(side, ref) for side, ref in refs if ref.kind != "CustomResourceDefinition"]
        by_name = {ref.name: (side, ref) for side, ref in crds}
        steps: list[list[tuple[Side, Ref]]] = [[by_name[name]] for name in CRDS_IN_ORDER]
        steps.append(crds)
        if self._settings.in_process:
            steps.append(rest)
        else:
            steps += [[(Side.HUB, ref) for ref in made], [*rest, *_webhooks(far)]]
        require(view, [entry for step in steps for entry in step])
        return next_step(view, steps) or Outcome(drop_finalizer(cm, CLUSTER_MANAGER_FINALIZER))


def _webhooks(side: Side) -> Iterable[tuple[Side, Ref]]:
    group, suffix = CONFIGURATION.group, "open-cluster-management.io"
    validating = Kind(group, "ValidatingWebhookConfiguration")
    yield side, CONFIGURATION
    for name in (
        f"managedclustervalidators.admission.cluster.{suffix}",
        f"managedclustersetbindingvalidators.admission.cluster.{suffix}",
        f"manifestworkvalidators.admission.work.{suffix}",
    ):
        yield side, Ref(*validating, "", name)


def _ca(bundle: Object | None) -> str:
    text = ((bundle or {}).get("data") or {}).get(CA_KEY, "")
    return base64.b64encode(text.encode()).decode() if text else ""
