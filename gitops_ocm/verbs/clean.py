"""`clean`: makes a hub a plain cluster again.

Not while a managed cluster is available: its agents would go on without a hub. What the ClusterManager's
operator made goes with the ClusterManager; what `init` made goes here.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.reading import find, find_all
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import ACCOUNTS, CLUSTER_ROLE_BINDINGS, CLUSTER_ROLES, CRDS, SECRETS
from gitops_ocm.operator.install import hub_operator
from gitops_ocm.verbs.accept import CLUSTERS
from gitops_ocm.verbs.applying import DRY_RUN, Applier
from gitops_ocm.verbs.hub_objects import CLUSTER_MANAGER, TOKEN_BINDING, bootstrap_objects
from gitops_ocm.verbs.init import MANAGERS
from gitops_ocm.verbs.removing import remove_objects, remove_operator
from gitops_ocm.verbs.tokens import stored_tokens
from gitops_ocm.verbs.voice import NAME, VerbError, Voice
from gitops_ocm.verbs.waiting import Patience

MANAGER_CRD = "clustermanagers.operator.open-cluster-management.io"
_OLD_ROLE = "system:open-cluster-management:bootstrap"
_OLD_BINDINGS = ("cluster-bootstrap", "cluster-bootstrap-sa")
_OLD_ACCOUNT = "cluster-bootstrap"


@dataclass(frozen=True)
class CleanOptions:
    """What `clean` was asked for."""

    name: str = CLUSTER_MANAGER
    purge_operator: bool = True
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


async def clean(hub: Cluster, options: CleanOptions, voice: Voice) -> list[Object]:
    """Take the hub away; what was taken."""
    if options.dry_run:
        voice.note(DRY_RUN)
    if await find(hub, CRDS, MANAGER_CRD) is None:
        raise VerbError(
            "hub has not been initialized", hint=f"there is nothing to clean; {NAME} init makes a hub"
        )
    if available := await _available(hub):
        voice.say("Please detach all managed clusters from the hub control plane")
        voice.note(f"still available: {', '.join(available)}; on each: {NAME} unjoin --cluster-name NAME")
        return []
    applier = Applier(hub, voice, dry_run=options.dry_run, patience=options.patience)
    manager = await find(hub, MANAGERS, options.name)
    if manager is None:
        voice.say("The multicluster hub control plane is cleand up already")
        if (await hub.list(MANAGERS)).items:
            return []
    else:
        await _remove_manager(applier, manager)
    await _remove_bootstrap(applier)
    if options.purge_operator:
        await remove_operator(applier, hub_operator(), beside=("klusterlet", "Klusterlet"))
    if manager is not None and not options.dry_run:
        voice.say("The multicluster hub control plane has been clean up successfully!")
    return applier.applied


async def _available(hub: Cluster) -> list[str]:
    clusters = await find_all(hub, CLUSTERS)
    return sorted(c["metadata"]["name"] for c in clusters if is_true(c, "ManagedClusterConditionAvailable"))


async def _remove_manager(applier: Applier, manager: Object) -> None:
    name = manager["metadata"]["name"]
    hint = (
        f"is the operator running? kubectl -n {OPERATOR_NAMESPACE} get pods -l app=cluster-manager; "
        f"kubectl get clustermanager {name} -o yaml; kubectl get managedclusters,manifestworks -A"
    )
    applier.applied.append(manager)
    await applier.delete_and_wait(MANAGERS, "", name, hint=hint)


async def _remove_bootstrap(applier: Applier) -> None:
    """Today's objects to join by, and those of years ago."""
    for secret in await stored_tokens(applier.cluster):
        await applier.delete(SECRETS, "kube-system", secret["metadata"]["name"])
    await remove_objects(applier, bootstrap_objects())
    for name in (TOKEN_BINDING, *_OLD_BINDINGS):
        await applier.delete(CLUSTER_ROLE_BINDINGS, "", name)
    await applier.delete(CLUSTER_ROLES, "", _OLD_ROLE)
    await applier.delete(ACCOUNTS, OPERATOR_NAMESPACE, _OLD_ACCOUNT)
