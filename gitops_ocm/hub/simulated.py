"""Pods where there are no nodes: the simulated workloads of embedded clusters, and stand-ins on the hub.

The judgements are `apiserver.workloads`; here is only who runs them, on what, and how long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from gitops_ocm.api.operator import HUB_NAMESPACE, OPERATOR_NAMESPACE
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.workloads import workload_controllers
from gitops_ocm.apiserver.workloads_pods import Pace
from gitops_ocm.decide.contract import DONE, Controller, Outcome, Reconcile, Side, View
from gitops_ocm.decide.operators.settings import BUNDLE_VERSION, OperatorSettings
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Ref
from gitops_ocm.objects.served import CRDS
from gitops_ocm.operator.process import Role, run_operator
from gitops_ocm.runtime.tasks import Tasks, first_of


@asynccontextmanager
async def simulated_workloads(
    members: Mapping[str, Api], stop: asyncio.Event, *, pace: Pace | None = None, operator: str = ""
) -> AsyncIterator[None]:
    """Simulate workloads on each of the clusters as long as the block lasts, or until `stop`.

    With an `operator`, its image, Klusterlets are looked after as by the operator that `join` installs.
    """
    async with Tasks("simulated workloads") as tasks:
        for name, api in members.items():
            cluster = LocalCluster(api)
            tasks.start(name, Runner(workload_controllers(pace), {Side.HUB: cluster}).run(stop))
            if operator:
                settings = OperatorSettings(operator, BUNDLE_VERSION)
                tasks.start(f"{name} operator", _operate(cluster, settings, stop))
        try:
            yield
        finally:
            tasks.stop()


async def _operate(cluster: Cluster, settings: OperatorSettings, stop: asyncio.Event) -> None:
    """Look after Klusterlets from when there can be any: most clusters never have one."""
    await first_of(stop.wait(), _defined(cluster))
    if not stop.is_set():
        await run_operator(cluster, Role.KLUSTERLET, settings, stop)


async def _defined(cluster: Cluster) -> None:
    """Return once Klusterlets are a kind that is served."""
    named = f"metadata.name={_DEFINITION}"
    page = await cluster.list(CRDS, field_selector=named)
    if page.items:
        return
    changes: Any = cluster.watch(
        CRDS, resource_version=page.resource_version, field_selector=named, bookmarks=False
    )
    async with aclosing(changes) as events:
        await anext(events)


_DEFINITION = "klusterlets.operator.open-cluster-management.io"
_STANDING = ("Deployment", "ReplicaSet", "Pod")
_OPERATED = frozenset({OPERATOR_NAMESPACE, HUB_NAMESPACE})


def stand_ins() -> tuple[Controller, ...]:
    """Rows for a hub that is its own operator and its own components: pods that stand for them.

    clusteradm waits for such pods and counts them. Nobody else's Deployments get any.
    """
    names = {f"simulated-{kind.lower()}" for kind in _STANDING}
    rows = [row for row in workload_controllers(Pace()) if row.name in names]
    return tuple(replace(row, reconcile=_operated(row.reconcile)) for row in rows)


def _operated(reconcile: Reconcile) -> Reconcile:
    def only(view: View, key: Ref, now: datetime) -> Outcome:
        return reconcile(view, key, now) if key.namespace in _OPERATED else DONE

    return only
