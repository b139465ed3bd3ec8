"""Pods where there are no nodes: the simulated workloads of embedded clusters, and stand-ins on the hub.

The judgements are `apiserver.workloads`; here is only who runs them, on what, and how long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime

from gitops_ocm.api.operator import HUB_NAMESPACE, OPERATOR_NAMESPACE
from gitops_ocm.apiserver.local import LocalCluster
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.apiserver.workloads import workload_controllers
from gitops_ocm.apiserver.workloads_pods import Pace
from gitops_ocm.decide.contract import DONE, Controller, Outcome, Reconcile, Side, View
from gitops_ocm.live.runner import Runner
from gitops_ocm.objects.ref import Ref
from gitops_ocm.runtime.tasks import Tasks


@asynccontextmanager
async def simulated_workloads(
    members: Mapping[str, Api], stop: asyncio.Event, *, pace: Pace | None = None
) -> AsyncIterator[None]:
    """Simulate workloads on each of the clusters as long as the block lasts, or until `stop`."""
    async with Tasks("simulated workloads") as tasks:
        for name, api in members.items():
            runner = Runner(workload_controllers(pace), {Side.HUB: LocalCluster(api)})
            tasks.start(name, runner.run(stop))
        try:
            yield
        finally:
            tasks.stop()


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
