"""All objects of one ClusterManager: a function of its spec, the number of replicas, and a CA.

`hub_parts` says which components there are, `pods` what a Deployment looks like; `cluster_manager` applies
what is made here. Webhook configurations are made once the components run: before, they would refuse all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from gitops_ocm.api import cluster_profile
from gitops_ocm.api.crd import ConversionWebhook, crds
from gitops_ocm.api.crd import crd as crd_of
from gitops_ocm.api.operator import HUB_NAMESPACE
from gitops_ocm.api.rollout import ROLLOUT_COMPAT_ANNOTATION
from gitops_ocm.decide.operators import hub_parts
from gitops_ocm.decide.operators.gates import NETWORK_POLICIES
from gitops_ocm.decide.operators.hub_parts import Part, hosted, hub_gates, parts
from gitops_ocm.decide.operators.plan import Plan, Stage, stamped
from gitops_ocm.decide.operators.pods import (
    HEALTH_PORT,
    Placing,
    Volume,
    Workload,
    account,
    binding,
    cluster_role,
    copied,
    deployment,
    namespace,
    role,
    service,
)
from gitops_ocm.decide.operators.settings import OperatorSettings
from gitops_ocm.decide.operators.webhooks import webhook_configurations
from gitops_ocm.decide.writes import annotations_of, labels_of, name_of, uid_of
from gitops_ocm.objects.ref import Object

_COLLECTED: Mapping[Part, tuple[str, str]] = {
    hub_parts.SYNC: ("synced", "gitops-ocm-sync"),
    hub_parts.ADDON: ("granted", "gitops-ocm-addons"),
}
"""Parts that may do what others decide: the suffix of their binding, and the role bound."""

CREATED_BY = "open-cluster-management.io/created-by-clustermanager"
CA_BUNDLE, CA_KEY = "ca-bundle-configmap", "ca-bundle.crt"
SERVING_CERT = "/serving-cert"
HUB_CONFIG = "/var/run/secrets/hub"
NOT_OF_A_HUB = ("ClusterManager", "Klusterlet", "AppliedManifestWork", "ClusterClaim", "ClusterProperty")
PORT = 9443
PROFILES = "registration-profiles"
"""The rights of the registration controller where it makes ClusterProfiles."""


def namespace_for(cm: Object) -> str:
    """Where a ClusterManager's components run."""
    return name_of(cm) if hosted(cm) else HUB_NAMESPACE


def labels_for(cm: Object) -> dict[str, str]:
    """The labels of everything made for a ClusterManager: its own, and whose it is."""
    own = {k: v for k, v in labels_of(cm).items() if "kubernetes.io/" not in k and k != "app"}
    return {**own, CREATED_BY: name_of(cm)}


def hub_plan(
    cm: Object,
    settings: OperatorSettings,
    *,
    replicas: int,
    ca_bundle: str = "",
    pull_secret: Object | None = None,
) -> Plan:
    """What is wanted. With a CA (base64), the webhooks' configurations are too."""
    labels = labels_for(cm)
    where, far = namespace_for(cm), settings.far
    running = parts(cm)
    profiles = hub_gates(cm.get("spec") or {}).registration.on("ClusterProfile")
    webhooks = webhook_configurations(cm, running, where, ca_bundle, labels) if ca_bundle else ()
    deployments = [_deployment(cm, part, settings, labels, replicas) for part in running]
    if settings.in_process:
        shown = deployments if not hosted(cm) else []
        near = (namespace(where, labels), *_near_accounts(cm, running, labels), *shown) if shown else ()
        return Plan(
            (
                # The process that is the hub has made them; only what was deleted is made again.
                Stage("CRDApplyFailed", "CRDs", hub_crds(settings.version, "", profiles), if_missing=True),
                Stage("RuntimeResourceApplyFailed", "runtime resources", near),
            ),
            tuple(name_of(obj) for obj in shown),
            where,
        )
    return Plan(
        (
            Stage(
                "CRDApplyFailed",
                "CRDs",
                hub_crds(settings.version, _converts(running, ca_bundle), profiles),
                far,
            ),
            Stage("HubResourceApplyFailed", "hub resources", _rights(cm, running, settings, labels), far),
            Stage(
                "RuntimeResourceApplyFailed",
                "runtime resources",
                (
                    *((namespace(where, labels),) if hosted(cm) else ()),
                    *_near_accounts(cm, running, labels),
                    *copied(pull_secret, where, labels),
                    *_services(cm, running, labels),
                    *_network_policies(cm, running, labels),
                    *deployments,
                ),
            ),
            Stage("WebhookApplyFailed", "webhooks", tuple(webhooks), far),
        ),
        tuple(name_of(obj) for obj in deployments),
        where,
    )


@lru_cache(maxsize=8)
def hub_crds(version: str, ca_bundle: str = "", profiles: bool = False) -> tuple[Object, ...]:
    """The definitions of a hub's kinds; with the CA of the webhook that converts add-ons, in all versions."""
    converter = None
    if ca_bundle:
        converter = ConversionWebhook(
            namespace=HUB_NAMESPACE,
            name=hub_parts.ADDON_WEBHOOK.service,
            port=443,
            ca_bundle=ca_bundle,
        )
    wanted = [c for c in crds(conversion_webhook=converter) if c["spec"]["names"]["kind"] not in NOT_OF_A_HUB]
    return stamped([*wanted, *([crd_of(cluster_profile.DEFINITION)] if profiles else [])], version)


def _converts(running: Sequence[Part], ca_bundle: str) -> str:
    return ca_bundle if hub_parts.ADDON_WEBHOOK in running else ""


def role_name(cm: Object, part: Part) -> str:
    """The name of a component's ClusterRole and binding."""
    return f"open-cluster-management:{name_of(cm)}-{part.role}"


def _rights(
    cm: Object, running: Sequence[Part], settings: OperatorSettings, labels: Mapping[str, str]
) -> tuple[Object, ...]:
    """On the hub: the namespace, accounts, and what they may do."""
    where = namespace_for(cm)
    profiles = hub_gates(cm.get("spec") or {}).registration.on("ClusterProfile")
    found: list[Object] = [namespace(where, labels)]
    for part in running:
        name = role_name(cm, part)
        key = f"{part.webhook}-webhook" if part.webhook else part.group
        everywhere = PROFILES if part is hub_parts.REGISTRATION and profiles else key
        leader = f"{name}:leader"
        found += [
            account(part.account, where, labels),
            cluster_role(name, settings.rules_for(everywhere), labels),
            binding(name, ("ClusterRole", name), (where, part.account), labels),
        ]
        if rules := settings.rules_for(f"{key}-namespace"):
            found += [
                role(leader, where, rules, labels),
                binding(leader, ("Role", leader), (where, part.account), labels, namespace=where),
            ]
        if part in _COLLECTED:
            # What Git may hold, or add-ons may get, is the sum of all roles with a label: others add to it.
            bound, summed = _COLLECTED[part]
            found.append(binding(f"{name}:{bound}", ("ClusterRole", summed), (where, part.account), labels))
    return tuple(found)


def _near_accounts(cm: Object, running: Sequence[Part], labels: Mapping[str, str]) -> tuple[Object, ...]:
    """Hosted: accounts for the pods on the cluster where they run; they have no rights there."""
    if not hosted(cm):
        return ()
    return tuple(account(part.account, name_of(cm), labels) for part in running)


def _deployment(
    cm: Object, part: Part, settings: OperatorSettings, labels: Mapping[str, str], replicas: int
) -> Object:
    spec = cm.get("spec") or {}
    bind = _bind(cm, part)
    work = Workload(
        f"{name_of(cm)}-{part.name}",
        namespace_for(cm),
        app=part.app.format(name_of(cm)),
        container=f"{name_of(cm)}-{part.name}",
        image=settings.image_for(spec.get(part.image)),
        args=(*_arguments(cm, part), *(("--kubeconfig", f"{HUB_CONFIG}/kubeconfig") if hosted(cm) else ())),
        account=part.account,
        replicas=1 if hosted(cm) else replicas,
        labels=labels,
        volumes=tuple(_volumes(cm, part)),
        ports={"webhook": bind["port"]} if part.webhook else {},
        probe=bind["port"] if part.webhook else 0,
        host_network=bool(bind.get("hostNetwork")),
    )
    placing = Placing(spec.get("nodePlacement") or {}, spec.get("resourceRequirement") or {})
    return _owned(deployment(work, placing), cm)


def _owned(obj: Object, cm: Object) -> Object:
    """A Deployment goes with its ClusterManager even where the operator is gone."""
    owner = {
        "apiVersion": cm["apiVersion"],
        "kind": cm["kind"],
        "name": name_of(cm),
        "uid": uid_of(cm),
    }
    return {**obj, "metadata": {**obj["metadata"], "ownerReferences": [owner]}}


def _arguments(cm: Object, part: Part) -> list[str]:
    spec = cm.get("spec") or {}
    gates = hub_gates(spec).of(part)
    if part.webhook:
        bind = _bind(cm, part)
        return [
            "hub",
            "webhook",
            f"--listen=0.0.0.0:{bind['port']}",
            f"--tls-cert-file={SERVING_CERT}/tls.crt",
            f"--tls-private-key-file={SERVING_CERT}/tls.key",
            *gates.arguments(),
        ]
    arguments = ["hub", "run", f"--controllers={part.group}", *gates.arguments()]
    if part is hub_parts.REGISTRATION:
        arguments += _registration_arguments(spec.get("registrationConfiguration") or {}, gates.gates)
    compat = annotations_of(cm).get(ROLLOUT_COMPAT_ANNOTATION) == "ocm"
    if compat and part in (hub_parts.WORK, hub_parts.ADDON):
        arguments.append("--rollout-compat=ocm")
    return arguments


def _registration_arguments(configuration: Mapping[str, Any], gates: Mapping[str, bool]) -> list[str]:
    """Who needs no approval; OCM's flags."""
    if not gates.get("ManagedClusterAutoApproval"):
        return []
    users = list(configuration.get("autoApproveUsers") or ())
    csr: list[str] = []
    for driver in configuration.get("registrationDrivers") or ():
        if driver.get("authType") == "csr":
            csr += (driver.get("csr") or {}).get("autoApprovedIdentities") or ()
    arguments = []
    if users:
        arguments.append(f"--cluster-auto-approval-users={','.join(users)}")
    if csr:
        arguments.append(f"--auto-approved-csr-users={','.join(csr)}")
    return arguments


def _bind(cm: Object, part: Part) -> dict[str, Any]:
    """Where a webhook listens."""
    option = (cm.get("spec") or {}).get("deployOption") or {}
    where = option.get("hosted" if hosted(cm) else "default") or {}
    configured = (where.get(f"{part.webhook}WebhookConfiguration") or {}).get("bindConfiguration") or {}
    return {**configured, "port": int(configured.get("port") or PORT)}


def _volumes(cm: Object, part: Part) -> list[Volume]:
    found = []
    if part.webhook:
        found.append(Volume("serving-cert", SERVING_CERT, {"secret": {"secretName": part.secret}}))
    if hosted(cm):
        secret = {"secret": {"secretName": f"{part.account}-kubeconfig"}}
        found.append(Volume("hub-kubeconfig", HUB_CONFIG, secret))
    return found


def _services(cm: Object, running: Sequence[Part], labels: Mapping[str, str]) -> tuple[Object, ...]:
    where = namespace_for(cm)
    return tuple(
        service(part.service, where, part.app.format(name_of(cm)), 443, _bind(cm, part)["port"], labels)
        for part in running
        if part.webhook
    )


def _network_policies(cm: Object, running: Sequence[Part], labels: Mapping[str, str]) -> tuple[Object, ...]:
    """Behind the operator's own gate: webhooks are called, all else is only asked for its health."""
    if not hub_gates(cm.get("spec") or {}).registration.on(NETWORK_POLICIES):
        return ()
    where = namespace_for(cm)

    def policy(part: Part) -> Object:
        port = _bind(cm, part)["port"] if part.webhook else HEALTH_PORT
        return {
            "apiVersion": "networking.k8s.io/v1",
            "kind": "NetworkPolicy",
            "metadata": {"name": f"{name_of(cm)}-{part.name}", "namespace": where, "labels": dict(labels)},
            "spec": {
                "podSelector": {"matchLabels": {"app": part.app.format(name_of(cm))}},
                "policyTypes": ["Ingress"],
                "ingress": [{"ports": [{"port": port, "protocol": "TCP"}]}],
            },
        }

    return tuple(policy(part) for part in running)
