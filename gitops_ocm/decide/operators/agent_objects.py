"""All objects of one Klusterlet: a function of its spec and of what is known of its hub connection.

In the hosted modes the agents run on the management cluster (`Side.HUB`), in a namespace that has the
Klusterlet's name, while accounts, rights and definitions are on the managed one (`OperatorSettings.far`).
`pods` knows what a Deployment looks like; `klusterlet` applies what is made here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

from gitops_ocm.api.crd import crds
from gitops_ocm.api.operator_klusterlet import (
    BOOTSTRAP_SECRET,
    HUB_KUBECONFIG_SECRET,
)
from gitops_ocm.decide.operators.agent_arguments import registration_arguments, work_arguments
from gitops_ocm.decide.operators.agent_spec import AgentSpec
from gitops_ocm.decide.operators.gates import NETWORK_POLICIES
from gitops_ocm.decide.operators.plan import Plan, Stage, stamped
from gitops_ocm.decide.operators.pods import (
    HEALTH_PORT,
    Volume,
    Workload,
    account,
    binding,
    cluster_role,
    copied,
    deployment,
    namespace,
    role,
)
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.writes import name_of
from gitops_ocm.objects.ref import Object

ADDON_NAMESPACE = "open-cluster-management-agent-addon"
AGGREGATE_ROLE = "open-cluster-management:klusterlet-work:aggregate"
"""The sum of all ClusterRoles that say what works may hold; one for all Klusterlets of a cluster."""
AGGREGATE_LABEL = "open-cluster-management.io/aggregate-to-work"
ADDON_NAMESPACE_LABEL = "addon.open-cluster-management.io/namespace"
SPOKE_KINDS = ("AppliedManifestWork", "ClusterClaim", "ClusterProperty")
KUBE_SYSTEM = "kube-system"


def klusterlet_plan(
    klusterlet: Object,
    settings: OperatorSettings,
    *,
    replicas: int,
    connected: bool = False,
    cluster_name: str = "",
    pull_secret: Object | None = None,
    addon_namespaces: Sequence[str] = (),
) -> Plan:
    """What is wanted. Without a connection to the hub the work agent has nothing to do, and no pod.

    `addon_namespaces` are those of add-ons' own, which need the pull secret too.
    """
    spec = AgentSpec(klusterlet)
    labels = spec.labels
    agents = _deployments(spec, settings, replicas, connected, spec.cluster_name or cluster_name)
    near = (
        *((namespace(spec.agent_namespace, spec.namespace_labels),) if spec.hosted else ()),
        *_near_rights(spec, settings),
        *copied(pull_secret, spec.agent_namespace, labels),
        *_network_policies(spec, agents),
    )
    others = [name for name in addon_namespaces if name not in (ADDON_NAMESPACE, spec.agent_namespace)]
    pulls = [secret for name in others for secret in copied(pull_secret, name, {})]
    far = (*_far_rights(spec, settings, pull_secret), *pulls)
    managed = "ManagedClusterResourceApplyFailed"
    return Plan(
        (
            Stage("CRDApplyFailed", "CRDs", spoke_crds(settings.version), settings.far),
            Stage(managed, "managed cluster resources", far, settings.far),
            Stage("ManagementClusterResourceApplyFailed", "management cluster resources", near),
            Stage("KlusterletApplyFailed", "agents", agents),
        ),
        tuple(name_of(obj) for obj in agents),
        spec.agent_namespace,
    )


@lru_cache(maxsize=8)
def spoke_crds(version: str) -> tuple[Object, ...]:
    """The definitions of a managed cluster's kinds."""
    return stamped([c for c in crds() if c["spec"]["names"]["kind"] in SPOKE_KINDS], version)


def aggregate_role(labels: Mapping[str, str]) -> Object:
    """The ClusterRole that collects what works may hold. Only an administrator may make such a role."""
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": AGGREGATE_ROLE, "labels": dict(labels)},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {AGGREGATE_LABEL: "true"}}]},
    }


def _far_rights(
    spec: AgentSpec, settings: OperatorSettings, pull_secret: Object | None
) -> tuple[Object, ...]:
    """On the managed cluster: namespaces, accounts, and what the agents may do there."""
    labels, where, name = spec.labels, spec.namespace, spec.name
    prefix = f"open-cluster-management:{name}"
    work = (where, spec.work_account)
    registration = (where, spec.registration_account)
    found: list[Object] = [
        namespace(where, spec.namespace_labels),
        account(spec.registration_account, where, labels),
        account(spec.work_account, where, labels),
    ]
    for part, who, key in (
        ("registration:agent", registration, "registration-agent"),
        ("registration:addon-management", registration, "addon-management"),
        ("work:agent", work, "work-agent"),
    ):
        role_name = f"{prefix}-{part}"
        found.append(cluster_role(role_name, settings.rules_for(key), labels))
        # A singleton is one process with one account, which does the work of both.
        found.append(binding(role_name, ("ClusterRole", role_name), work if spec.singleton else who, labels))
    execution = f"{prefix}-work:execution"
    found += [
        cluster_role(execution, settings.rules_for("work-execution"), {**labels, AGGREGATE_LABEL: "true"}),
        *((aggregate_role(labels),) if spec.hosted else ()),
        binding(f"{prefix}-work:aggregate", ("ClusterRole", AGGREGATE_ROLE), work, labels),
        binding(f"{prefix}-work:execution-admin", ("ClusterRole", "admin"), work, labels),
    ]
    if settings.addon_namespace:
        found.append(namespace(ADDON_NAMESPACE, {ADDON_NAMESPACE_LABEL: "true"}))
        found += copied(pull_secret, ADDON_NAMESPACE, {})
    return tuple(found)


def _near_rights(spec: AgentSpec, settings: OperatorSettings) -> tuple[Object, ...]:
    """Where the agents run: what they may do in their namespace, with secrets of add-ons, in kube-system."""
    labels, where, name = spec.labels, spec.agent_namespace, spec.name
    prefix = f"open-cluster-management:management:{name}"
    accounts = {"registration": spec.registration_account, "work": spec.work_account}
    apiserver = f"{prefix}:extension-apiserver"
    found: list[Object] = []
    if spec.hosted:
        found += [account(one, where, labels) for one in accounts.values()]
    found.append(role(apiserver, KUBE_SYSTEM, settings.rules_for("extension-apiserver"), labels))
    for part, own in accounts.items():
        mine = f"{prefix}-{part}:agent"
        who = (where, spec.work_account if spec.singleton else own)
        found += [
            role(mine, where, settings.rules_for(f"{part}-agent-namespace"), labels),
            binding(mine, ("Role", mine), who, labels, namespace=where),
            binding(mine, ("Role", apiserver), who, labels, namespace=KUBE_SYSTEM),
        ]
    if spec.hosted:
        addons = f"{prefix}-registration:addon-management"
        who = (where, accounts["work" if spec.singleton else "registration"])
        found += [
            cluster_role(addons, settings.rules_for("addon-management"), labels),
            binding(addons, ("ClusterRole", addons), who, labels),
        ]
    return tuple(found)


def _network_policies(spec: AgentSpec, agents: Sequence[Object]) -> tuple[Object, ...]:
    """Behind the operator's own gate: nobody calls an agent."""
    if not spec.registration_gates.on(NETWORK_POLICIES):
        return ()
    return tuple(
        {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {
                "name": name_of(agent),
                "namespace": spec.agent_namespace,
                "labels": dict(spec.labels),
            },
            "spec": {
                "podSelector": agent["spec"]["selector"],
                "policyTypes": ["Ingress"],
                "ingress": [{"ports": [{"port": HEALTH_PORT, "protocol": "TCP"}]}],
            },
        }
        for agent in agents
    )


def _deployments(
    spec: AgentSpec, settings: OperatorSettings, replicas: int, connected: bool, cluster_name: str
) -> tuple[Object, ...]:
    count = 1 if spec.hosted else replicas

    def made(
        suffix: str, app: str, container: str, image: str, run: str, args: list[str], *, count: int = count
    ) -> Object:
        who = spec.registration_account if suffix == "registration-agent" else spec.work_account
        work = Workload(
            f"{spec.name}-{suffix}",
            spec.agent_namespace,
            app=app,
            container=container,
            image=settings.image_for(image),
            args=("klusterlet", "run", f"--agents={run}", *args),
            account=who,
            replicas=count,
            labels=spec.labels,
            volumes=tuple(_volumes(spec, suffix)),
        )
        return deployment(work, spec.placing)

    def registering(run: str) -> list[str]:
        return registration_arguments(spec, spec.cluster_name, run)

    if spec.singleton:
        both = [*registering("registration,work"), *work_arguments(spec, count)]
        return (made("agent", "klusterlet-agent", "klusterlet-agent", spec.image, "registration,work", both),)
    working = [
        f"--cluster-name={cluster_name}",
        "--hub-kubeconfig=/spoke/hub-kubeconfig/kubeconfig",
        *spec.spoke_arguments,
        *work_arguments(spec, count),
        *spec.work_gates.arguments(),
    ]
    return (
        made(
            "registration-agent",
            "klusterlet-registration-agent",
            "registration-controller",
            spec.registration_image,
            "registration",
            registering("registration"),
        ),
        made(
            "work-agent",
            "klusterlet-manifestwork-agent",
            "klusterlet-manifestwork-agent",
            spec.work_image,
            "work",
            working,
            count=count if connected and cluster_name else 0,
        ),
    )


def _volumes(spec: AgentSpec, suffix: str) -> list[Volume]:
    found = []
    if suffix == "work-agent":
        secret = {"secret": {"secretName": HUB_KUBECONFIG_SECRET}}
        found.append(Volume("hub-kubeconfig", "/spoke/hub-kubeconfig", secret))
    else:
        memory = {"emptyDir": {"medium": "Memory"}}
        found.append(Volume("hub-kubeconfig", "/spoke/hub-kubeconfig", memory, read_only=False))
        if spec.several_hubs:
            found += [
                Volume(name, f"/spoke/{name}", {"secret": {"secretName": name}})
                for name in spec.bootstrap_secrets
            ]
        else:
            secret = {"secret": {"secretName": BOOTSTRAP_SECRET}}
            found.append(Volume("bootstrap-secret", "/spoke/bootstrap", secret))
    if spec.hosted:
        name = spec.external_secrets[spec.account_of(suffix)]
        found.append(Volume("spoke-kubeconfig", "/spoke/config", {"secret": {"secretName": name}}))
    return found
