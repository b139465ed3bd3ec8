"""`join --wait`: until the operator runs, the agents have what they need, and the hub knows the cluster.

Not until it is accepted: that is for somebody on the hub to say.
"""

from __future__ import annotations

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.ref import Object
from gitops_ocm.verbs.hub_lookup import HubAccess
from gitops_ocm.verbs.join import KLUSTERLETS, Joining
from gitops_ocm.verbs.klusterlet_objects import KLUSTERLET, KlusterletSpec
from gitops_ocm.verbs.targets import ocm
from gitops_ocm.verbs.voice import Voice
from gitops_ocm.verbs.waiting import Look, Patience, pod_ready, until

_DEGRADED = ("RegistrationDesiredDegraded", "WorkDesiredDegraded")


async def wait_until_joined(
    cluster: Cluster, access: HubAccess, done: Joining, voice: Voice, patience: Patience
) -> None:
    """Wait for what `join` has started. On an embedded server only the hub is asked: no pods run there."""
    spec = done.spec
    if not done.embedded:
        await _operator(cluster, voice, patience)
        await _agents(cluster, spec, voice, patience)
    await _on_hub(access, done.hub_ca, spec.cluster, voice, patience)


async def _operator(cluster: Cluster, voice: Voice, patience: Patience) -> None:
    async def look() -> Look:
        return await pod_ready(cluster, OPERATOR_NAMESPACE, KLUSTERLET)

    hint = f"kubectl -n {OPERATOR_NAMESPACE} describe pods -l app={KLUSTERLET}"
    await until(
        "the klusterlet's operator",
        look,
        voice,
        patience,
        done="Registration operator is now available.",
        hint=hint,
    )


async def _agents(cluster: Cluster, spec: KlusterletSpec, voice: Voice, patience: Patience) -> None:
    async def look() -> Look:
        found = await cluster.get(KLUSTERLETS, "", spec.name)
        lacking = [text for text in (_lacking(found, kind) for kind in _DEGRADED) if text]
        return Look(not lacking, "; ".join(lacking))

    hint = f"kubectl get klusterlet {spec.name} -o yaml; kubectl -n {spec.agent_namespace} get pods"
    await until(
        "the klusterlet's agents", look, voice, patience, done="Klusterlet is now available.", hint=hint
    )


def _lacking(obj: Object, kind: str) -> str:
    """What keeps a condition from being False."""
    for condition in (obj.get("status") or {}).get("conditions") or ():
        if condition.get("type") == kind:
            if condition.get("status") == "False":
                return ""
            return f"{kind}: {condition.get('message') or condition.get('reason')}"
    return f"{kind} is not known yet"


async def _on_hub(access: HubAccess, ca: bytes, name: str, voice: Voice, patience: Patience) -> None:
    hub = HttpCluster(access.connection(ca))
    clusters = ocm("cluster.open-cluster-management.io/v1", "ManagedCluster")

    async def look() -> Look:
        found = await find(hub, clusters, name)
        return Look(found is not None, "the agent has not asked for it yet")

    try:
        await until(
            f"the managed cluster {name} on the hub",
            look,
            voice,
            patience,
            done="Managed cluster is created.",
            hint="look at the agent's log: kubectl -n open-cluster-management-agent logs -l "
            "app=klusterlet-registration-agent",
        )
    finally:
        await hub.close()
