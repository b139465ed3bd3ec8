"""`join`: installs the agents on a cluster, with what they need to ask a hub to be let in.

Doing it again brings it up to date; in hosted mode the Klusterlet of the cluster's name is found again.
On an embedded server no pods run: there the agent is a process, `gitops-ocm klusterlet run`.
"""

from __future__ import annotations

import re
import secrets
import string
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import yaml

from gitops_ocm.api.operator import HUB_NAMESPACE, OPERATOR_NAMESPACE
from gitops_ocm.decide.operators.hub_objects import CA_BUNDLE, CA_KEY
from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.kubeconfig import held_kubeconfig
from gitops_ocm.kube.reading import find, find_all
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.objects.served import CONFIG_MAPS, DEPLOYMENTS
from gitops_ocm.operator.install import OperatorOptions, klusterlet_operator
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.verbs.applying import DRY_RUN, Applier
from gitops_ocm.verbs.chart_values import EMPTY, ChartValues
from gitops_ocm.verbs.hub_checks import is_embedded, published_server
from gitops_ocm.verbs.hub_lookup import FoundHub, HubAccess, check_hub, look_up, merged_pem
from gitops_ocm.verbs.klusterlet_objects import (
    HOSTED_PREFIX,
    KLUSTERLET,
    KlusterletSpec,
    agent_objects,
    bootstrap_kubeconfig,
    grpc_config,
    hub_secrets,
    klusterlet,
)
from gitops_ocm.verbs.voice import NAME, Preflight, VerbError, Voice
from gitops_ocm.verbs.waiting import Patience

KLUSTERLETS = Resource(
    "operator.open-cluster-management.io", "v1", "Klusterlet", "klusterlets", namespaced=False
)
CLUSTER_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?")
_LETTERS = string.ascii_lowercase + string.digits


@dataclass(frozen=True)
class JoinOptions:
    """What `join` was asked for. `managed` is, in hosted mode, the other cluster and its kubeconfig."""

    access: HubAccess
    spec: KlusterletSpec
    operator: OperatorOptions
    values: ChartValues = EMPTY
    managed: tuple[HttpCluster, bytes] | None = None
    internal_endpoint: bool = False
    internal_endpoint_managed: bool = False
    grpc: tuple[str, bytes] | None = None
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)


@dataclass(frozen=True)
class Joining:
    """What was applied, and the kubeconfig that the agent begins with."""

    applied: list[Object]
    bootstrap: bytes = field(repr=False)
    embedded: bool
    spec: KlusterletSpec
    hub_ca: bytes


def check_access(options: Mapping[str, str]) -> None:
    """What nobody can join without, and what cannot be meant."""
    for key, told in (
        ("hub_token", "token is missing"),
        ("hub_apiserver", "hub-server is missing"),
        ("cluster_name", "cluster-name is missing"),
    ):
        if not options[key]:
            flag = "--" + key.replace("_", "-")
            raise VerbError(told, hint=f"give {flag}; {NAME} get token on the hub prints the command to use")
    if not options["hub_apiserver"].startswith(("http://", "https://")):
        raise VerbError(
            f"hub-apiserver {options['hub_apiserver']} should start with http:// or https://",
            hint="give its URL, such as https://10.0.0.1:6443",
        )


async def join(cluster: HttpCluster, options: JoinOptions, voice: Voice) -> Joining:
    """Install the agents on `cluster` (in hosted mode: beside it)."""
    if options.dry_run:
        voice.note(DRY_RUN)
    found = await look_up(options.access, voice)
    await _preflight(options, found, voice)
    for key in options.values.unused:
        voice.note(f"the values file's {key} says nothing about what is made here; left out")
    spec = await _named(cluster, options.spec)
    spec = replace(spec, external_server=await _external(cluster, options, voice))
    embedded = await is_embedded(cluster)
    bootstrap = _bootstrap(options, found)
    applier = Applier(cluster, voice, dry_run=options.dry_run, patience=options.patience)
    await applier.apply(await _objects(cluster, options, spec, bootstrap, hub_ca=found.ca, embedded=embedded))
    return Joining(applier.applied, bootstrap, embedded, spec, found.ca)


async def _preflight(options: JoinOptions, found: FoundHub, voice: Voice) -> None:
    check = Preflight(voice)
    await check_hub(options.access, found, check)
    await _check_mode(options, check)
    if CLUSTER_NAME.fullmatch(options.spec.cluster) and len(options.spec.cluster) <= 63:
        check.told("ClusterName Check")
    else:
        told = f"validate ClusterName failed: should match `^{CLUSTER_NAME.pattern}$`, 63 characters at most"
        check.told("ClusterName Check", errors=[told])
    check.done()


async def _check_mode(options: JoinOptions, check: Preflight) -> None:
    name = "DeployMode Check"
    if options.managed is not None and not options.internal_endpoint:
        try:
            await options.managed[0].version()
        except GitopsError as error:
            check.told(name, errors=[f"validate managed kubeconfig file failed: {error.message}"])
            return
    check.told(name)


async def _named(cluster: Cluster, spec: KlusterletSpec) -> KlusterletSpec:
    """The Klusterlet's name; a hosted one keeps the name it was made up with at first."""
    if not spec.hosted:
        return spec
    for item in await find_all(cluster, KLUSTERLETS):
        name = str(item["metadata"]["name"])
        if (item.get("spec") or {}).get("clusterName") == spec.cluster and name.startswith(HOSTED_PREFIX):
            return replace(spec, name=name)
    made_up = "".join(secrets.choice(_LETTERS) for _ in range(6))
    return replace(spec, name=f"{HOSTED_PREFIX}{made_up}")


async def _external(cluster: Cluster, options: JoinOptions, voice: Voice) -> str:
    """The address that the managed cluster publishes; without one the hub shows none."""
    managed = options.managed[0] if options.managed is not None else cluster
    try:
        server = await published_server(managed)
    except (ApiError, VerbError) as error:
        voice.note(f"Join continues without an external API server URL for the klusterlet: {error.message}")
        return ""
    if not server:
        voice.note(
            "Join continues without an external API server URL for the klusterlet: the cluster has no "
            "ConfigMap kube-public/cluster-info"
        )
    return server


def _bootstrap(options: JoinOptions, found: FoundHub) -> bytes:
    access, server = options.access, options.access.server
    if options.internal_endpoint:
        if not found.internal:
            raise VerbError(
                "the hub publishes no address of its own (ConfigMap kube-public/cluster-info)",
                hint="leave out --force-internal-endpoint-lookup, or run gitops-ocm init on the hub",
            )
        server = found.internal
    ca = merged_pem(found.ca, access.proxy_ca) if access.proxy_ca else found.ca
    return bootstrap_kubeconfig(server, access.token, ca, proxy_url=access.proxy_url)


async def _objects(
    cluster: Cluster,
    options: JoinOptions,
    spec: KlusterletSpec,
    bootstrap: bytes,
    *,
    hub_ca: bytes,
    embedded: bool,
) -> list[Object]:
    operator = options.values.operator(options.operator)
    if operator.image != options.operator.image:
        spec = replace(spec, image=operator.image)
    installed = klusterlet_operator(operator)
    if embedded or spec.hosted or await _operator_available(cluster):
        kinds = ("CustomResourceDefinition", "Namespace")
        installed = [obj for obj in installed if obj["kind"] in kinds]
    grpc = await _grpc(options, hub_ca) if options.grpc else b""
    managed = await _managed_kubeconfig(options) if options.managed is not None else b""
    return [
        *installed,
        *agent_objects(
            spec,
            hub_secrets(bootstrap, grpc=grpc, managed=managed),
            create_namespace=operator.create_namespace,
            pull_credentials=operator.pull_credentials,
        ),
        klusterlet(spec, options.values),
    ]


async def _operator_available(cluster: Cluster) -> bool:
    """An operator that is there and fares well is left as it is: `upgrade klusterlet` changes it."""
    found = await find(cluster, DEPLOYMENTS, KLUSTERLET, OPERATOR_NAMESPACE)
    return found is not None and is_true(found, "Available")


async def _managed_kubeconfig(options: JoinOptions) -> bytes:
    assert options.managed is not None
    cluster, text = options.managed
    # The agents' side will have nothing but these bytes: what would not work there is told here.
    held_kubeconfig({"kubeconfig": text}, "kubeconfig", "the managed cluster's kubeconfig")
    if not options.internal_endpoint_managed:
        return text
    server = await published_server(cluster)
    if not server:
        raise VerbError(
            "the managed cluster publishes no address of its own (ConfigMap kube-public/cluster-info)",
            hint="leave out --force-internal-endpoint-lookup-managed",
        )
    body = yaml.safe_load(text)
    body["clusters"][0]["cluster"]["server"] = server
    return to_yaml(body).encode()


async def _grpc(options: JoinOptions, hub_ca: bytes) -> bytes:
    """How an agent reaches the hub by gRPC; the server's CA is asked of the hub where none was given."""
    assert options.grpc is not None
    server, ca = options.grpc
    if not ca:
        hub = HttpCluster(options.access.connection(hub_ca))
        try:
            bundle = await find(hub, CONFIG_MAPS, CA_BUNDLE, HUB_NAMESPACE)
        finally:
            await hub.close()
        ca = str(((bundle or {}).get("data") or {}).get(CA_KEY) or "").encode()
    if not ca:
        raise VerbError(
            f"ConfigMap {HUB_NAMESPACE}/{CA_BUNDLE} is missing or has empty key '{CA_KEY}'",
            hint="give --grpc-ca-file, or run gitops-ocm init --registration-drivers csr,grpc on the hub",
        )
    return grpc_config(server, options.access.token, ca)
