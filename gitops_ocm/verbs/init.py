"""`init`: makes a cluster the hub, and says with what others join it.

Doing it again brings it up to date. On an embedded hub the controllers are there already, so only what
others look for is made: how to join, and a ClusterManager.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from gitops_ocm.api.operator import HUB_NAMESPACE, OPERATOR_NAMESPACE
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.identity import Connection
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.operator.install import OperatorOptions, hub_operator
from gitops_ocm.verbs.applying import DRY_RUN, Applier
from gitops_ocm.verbs.chart_values import EMPTY, ChartValues
from gitops_ocm.verbs.hub_checks import check_cluster_info, check_server, is_embedded
from gitops_ocm.verbs.hub_objects import CLUSTER_MANAGER, HubSpec, bootstrap_objects, cluster_manager
from gitops_ocm.verbs.tokens import JoinInfo, join_info, token_secret
from gitops_ocm.verbs.voice import NAME, Preflight, VerbError, Voice
from gitops_ocm.verbs.waiting import Look, Patience, pod_ready, until

MANAGERS = Resource(
    "operator.open-cluster-management.io", "v1", "ClusterManager", "clustermanagers", namespaced=False
)
DRIVERS = ("csr", "awsirsa", "grpc")
_GATE = "ManagedClusterAutoApproval"


@dataclass(frozen=True)
class InitOptions:
    """What `init` was asked for."""

    spec: HubSpec
    operator: OperatorOptions
    values: ChartValues = EMPTY
    force: bool = False
    wait: bool = False
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


def check_spec(spec: HubSpec) -> None:
    """Options that cannot be meant together."""
    for driver in spec.drivers:
        if driver not in DRIVERS:
            raise VerbError("only csr,awsirsa and grpc are valid drivers", hint=f"{driver!r} is none of them")
    if "grpc" in spec.drivers:
        if spec.grpc_endpoint_type not in ("hostname", "loadBalancer"):
            raise VerbError(
                f"unknown grpc endpoint type {spec.grpc_endpoint_type}", hint="say hostname or loadBalancer"
            )
        if spec.grpc_endpoint_type == "hostname" and not spec.grpc_server:
            raise VerbError(
                "grpc server should not be empty if the grpc endpoint type is hostname",
                hint="give --grpc-server",
            )
    given: Mapping[str, tuple[tuple[str, ...], str]] = {
        "csr": (spec.csr_identities, "--auto-approved-csr-identities"),
        "awsirsa": (spec.arn_patterns, "--auto-approved-arn-patterns"),
        "grpc": (spec.grpc_identities, "--auto-approved-grpc-identities"),
    }
    for driver, (identities, flag) in given.items():
        if identities and not spec.gates.get(_GATE):
            raise VerbError(
                f"should enable feature gate {_GATE} before passing list of identities",
                hint=f"add --feature-gates {_GATE}=true, or leave {flag} out",
            )
        if identities and driver not in spec.drivers:
            raise VerbError(
                f"{flag} needs the registration driver {driver}",
                hint=f"add {driver} to --registration-drivers, or leave {flag} out",
            )


async def init(hub: HttpCluster, at: Connection, options: InitOptions, voice: Voice) -> InitResult:
    """Make a hub of what `hub` reaches; `at` is how its kubeconfig reaches it."""
    check_spec(options.spec)
    if options.dry_run:
        voice.note(DRY_RUN)
    if not options.force:
        await _preflight(hub, at, voice, dry_run=options.dry_run)
    for key in options.values.unused:
        voice.note(f"the values file's {key} says nothing about what is made here; left out")
    embedded = await is_embedded(hub)
    applier = Applier(hub, voice, dry_run=options.dry_run, patience=options.patience)
    await applier.apply(await _objects(hub, options, embedded=embedded))
    if options.dry_run:
        return InitResult(applier.applied)
    if options.wait:
        await _wait(hub, voice, options.patience, embedded=embedded)
    info = await join_info(hub, at.server, stored=options.spec.bootstrap_token)
    return InitResult(applier.applied, info)


@dataclass(frozen=True)
class InitResult:
    """What was applied, and with what clusters may join now (not known in a dry run)."""

    applied: list[Object]
    join: JoinInfo | None = None


async def _preflight(hub: HttpCluster, at: Connection, voice: Voice, *, dry_run: bool) -> None:
    check = Preflight(voice)
    check_server(at.server, check)
    await check_cluster_info(hub, at, check, dry_run=dry_run)
    check.done()


async def _objects(hub: Cluster, options: InitOptions, *, embedded: bool) -> list[Object]:
    spec, values = options.spec, options.values
    operator = values.operator(options.operator)
    if operator.image != options.operator.image:
        spec = replace(spec, image=operator.image)
    stored = await token_secret(hub) if spec.bootstrap_token else ""
    installed = hub_operator(operator)
    if embedded:
        # Pods do not run there, and its own process is what the operator would start.
        installed = [obj for obj in installed if obj["kind"] in ("CustomResourceDefinition", "Namespace")]
    return [*installed, *bootstrap_objects(token_secret=stored), cluster_manager(spec, values)]


async def _wait(hub: Cluster, voice: Voice, patience: Patience, *, embedded: bool) -> None:
    if embedded:
        await _wait_for_manager(hub, voice, patience)
        return
    for what, namespace, app in (
        ("the cluster manager's operator", OPERATOR_NAMESPACE, "cluster-manager"),
        ("the hub's registration controller", HUB_NAMESPACE, "clustermanager-registration-controller"),
    ):

        async def look(namespace: str = namespace, app: str = app) -> Look:
            return await pod_ready(hub, namespace, app)

        hint = f"kubectl -n {namespace} describe pods -l app={app}; kubectl get clustermanager -o yaml"
        await until(what, look, voice, patience, done=f"{what} is ready.".capitalize(), hint=hint)


async def _wait_for_manager(hub: Cluster, voice: Voice, patience: Patience) -> None:
    async def look() -> Look:
        manager = await hub.get(MANAGERS, "", CLUSTER_MANAGER)
        return Look(is_true(manager, "Applied"), "the hub's process has not taken note of it yet")

    await until(
        f"ClusterManager {CLUSTER_MANAGER}",
        look,
        voice,
        patience,
        done="The hub's controllers are ready.",
        hint=f"see that the hub's controllers run: {NAME} hub serve; "
        f"kubectl get clustermanager {CLUSTER_MANAGER} -o yaml",
    )
