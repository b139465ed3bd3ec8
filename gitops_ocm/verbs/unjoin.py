"""`unjoin`: takes the agents of one managed cluster away, on the cluster's side.

Nothing is taken away while works are applied there: they would be left to nobody. On the hub the cluster
stays, and becomes unknown; deleting it there is another decision.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.api.operator_klusterlet import DEFAULT_AGENT_NAMESPACE
from gitops_ocm.decide.operators.agent_spec import EXTERNAL_KUBECONFIG, is_hosted
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import held_kubeconfig
from gitops_ocm.kube.reading import find, find_all
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CRDS, NAMESPACES, SECRETS
from gitops_ocm.operator.install import klusterlet_operator
from gitops_ocm.verbs.applying import DRY_RUN, Applier
from gitops_ocm.verbs.join import KLUSTERLETS
from gitops_ocm.verbs.removing import remove_operator
from gitops_ocm.verbs.targets import ocm
from gitops_ocm.verbs.voice import VerbError, Voice
from gitops_ocm.verbs.waiting import Patience

KLUSTERLET_CRD = "klusterlets.operator.open-cluster-management.io"
APPLIED = ocm("work.open-cluster-management.io/v1", "AppliedManifestWork")


@dataclass(frozen=True)
class UnjoinOptions:
    """What `unjoin` was asked for."""

    cluster: str
    purge_operator: bool = True
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


async def unjoin(cluster: Cluster, options: UnjoinOptions, voice: Voice) -> list[Object]:
    """Take away the Klusterlet of a managed cluster, its namespace, and the operator; what was taken."""
    if not options.cluster:
        raise VerbError("name is missing", hint="give --cluster-name: the name by which the hub knows it")
    if options.dry_run:
        voice.note(DRY_RUN)
    voice.say(f"Remove applied resources in the managed cluster {options.cluster} ... ")
    if await find(cluster, CRDS, KLUSTERLET_CRD) is None:
        voice.say("klusterlet CRD not found, there is no need to unjoin.")
        return []
    every = (await cluster.list(KLUSTERLETS)).items
    found = [k for k in every if (k.get("spec") or {}).get("clusterName") == options.cluster]
    if not found:
        voice.say(f"klusterlet corresponds to {options.cluster} not found")
        return []
    left = [name for one in found for name in await _works(cluster, one)]
    if left:
        voice.say(
            f"appliedManifestWorks [{' '.join(left)}] still exist on the managed cluster,you should manually "
            "clean them, uninstall kluster will cause those works out of control."
        )
        voice.note(
            "delete the cluster's ManifestWorks on the hub first; its agent then removes what they applied"
        )
        return []
    applier = Applier(cluster, voice, dry_run=options.dry_run, patience=options.patience)
    for one in found:
        await _remove_agents(applier, one)
    if options.purge_operator and len(every) > len(found):
        voice.say("operator not purged: there are other klusterlet on cluster")
    elif options.purge_operator:
        await remove_operator(applier, klusterlet_operator(), beside=("cluster-manager", "ClusterManager"))
    if not options.dry_run:
        voice.say(
            f"Applied resources have been deleted during the {options.cluster} joined stage. The status of "
            f"mcl {options.cluster} will be unknown in the hub cluster."
        )
    return applier.applied


async def _remove_agents(applier: Applier, klusterlet: Object) -> None:
    name = klusterlet["metadata"]["name"]
    hint = (
        f"is the operator running? kubectl -n {OPERATOR_NAMESPACE} get pods -l app=klusterlet; "
        f"kubectl get klusterlet {name} -o yaml"
    )
    applier.applied.append(klusterlet)
    await applier.delete_and_wait(KLUSTERLETS, "", name, hint=hint)
    namespace = agent_namespace(klusterlet)
    if not await applier.delete_and_wait(NAMESPACES, "", namespace):
        applier.voice.note(f"namespace {namespace} is cleaned up already")


def agent_namespace(klusterlet: Object) -> str:
    """Where its agents run."""
    if is_hosted(klusterlet):
        return str(klusterlet["metadata"]["name"])
    return (klusterlet.get("spec") or {}).get("namespace") or DEFAULT_AGENT_NAMESPACE


async def _works(cluster: Cluster, klusterlet: Object) -> Sequence[str]:
    """The works applied on the cluster that a Klusterlet is about."""
    if not is_hosted(klusterlet):
        return await _applied(cluster)
    namespace = agent_namespace(klusterlet)
    secret = await find(cluster, SECRETS, EXTERNAL_KUBECONFIG, namespace)
    data = {"kubeconfig": base64.b64decode(((secret or {}).get("data") or {}).get("kubeconfig") or "")}
    if not data["kubeconfig"]:
        return []
    source = f"Secret {namespace}/{EXTERNAL_KUBECONFIG}"
    managed = HttpCluster(held_kubeconfig(data, "kubeconfig", source), timeout=30.0)
    try:
        return await _applied(managed)
    finally:
        await managed.close()


async def _applied(cluster: Cluster) -> Sequence[str]:
    return sorted(work["metadata"]["name"] for work in await find_all(cluster, APPLIED))
