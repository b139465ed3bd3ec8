"""The operators themselves, as objects: what has to be applied before a ClusterManager or a Klusterlet means
anything.

`gitops-ocm init` and `join` apply these, then the ClusterManager or Klusterlet, which is theirs to make. In
order: CustomResourceDefinition, Namespace, account, rights, pull secret, Deployment. What the operator makes
of its object afterwards is `decide.operators`.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm import __version__
from gitops_ocm.api.crd import crds
from gitops_ocm.api.operator import OPERATOR_NAMESPACE
from gitops_ocm.decide.operators.agent_objects import aggregate_role
from gitops_ocm.decide.operators.pods import (
    PULL_SECRET,
    Placing,
    Workload,
    account,
    binding,
    cluster_role,
    deployment,
    namespace,
)
from gitops_ocm.objects.ref import Object
from gitops_ocm.operator.operator_rights import hub_operator_rules, klusterlet_operator_rules
from gitops_ocm.operator.rbac import addon_role, sync_roles

HUB_OPERATOR, KLUSTERLET_OPERATOR = "cluster-manager", "klusterlet"
CONTAINER = {HUB_OPERATOR: "registration-operator", KLUSTERLET_OPERATOR: "klusterlet"}


def default_image(registry: str = "", version: str = __version__) -> str:
    """Our own image: `gitops-ocm:<version>`, below a registry (or a path in one) where given."""
    return f"{registry.rstrip('/')}/gitops-ocm:{version}" if registry else f"gitops-ocm:{version}"


@dataclass(frozen=True)
class OperatorOptions:
    """How an operator is installed.

    `image` runs the operator and, unless a spec says otherwise, all that it deploys. `pull_credentials`
    is a `.dockerconfigjson`. `resource_requirement` is as in both specs (`type`, `resourceRequirements`).
    `extra_args` go to `gitops-ocm operator run`.
    """

    image: str = field(default_factory=default_image)
    create_namespace: bool = True
    pull_credentials: bytes = b""
    pull_policy: str = "IfNotPresent"
    resource_requirement: Mapping[str, Any] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)
    extra_args: Sequence[str] = ()


def hub_operator(options: OperatorOptions | None = None) -> list[Object]:
    """Everything for the operator of ClusterManagers.

    Nobody may grant what they do not hold. So the operator holds what a sync and add-ons may be given: the
    sums of all roles that say what Git may put on the hub, and what add-ons' agents may get there.
    """
    options = options or OperatorOptions()
    labels = _labels(HUB_OPERATOR, options)
    collected, default = sync_roles()
    me = (OPERATOR_NAMESPACE, HUB_OPERATOR)
    return [
        *_crd("ClusterManager"),
        collected,
        default,
        binding(f"{HUB_OPERATOR}-sync", ("ClusterRole", collected["metadata"]["name"]), me, labels),
        addon_role(),
        binding(f"{HUB_OPERATOR}-addons", ("ClusterRole", "gitops-ocm-addons"), me, labels),
        *_operator(HUB_OPERATOR, "hub", hub_operator_rules(), options),
    ]


def klusterlet_operator(options: OperatorOptions | None = None) -> list[Object]:
    """Everything for the operator of Klusterlets.

    Nobody may grant what they do not hold. So the operator holds what its work agents may be given: the
    cluster's role `admin`, and the sum of all roles made for works.
    """
    options = options or OperatorOptions()
    labels = _labels(KLUSTERLET_OPERATOR, options)
    me, aggregate = (OPERATOR_NAMESPACE, KLUSTERLET_OPERATOR), aggregate_role(labels)
    return [
        *_crd("Klusterlet"),
        aggregate,
        binding(f"{KLUSTERLET_OPERATOR}-work-admin", ("ClusterRole", "admin"), me, labels),
        binding(
            f"{KLUSTERLET_OPERATOR}-work-aggregate",
            ("ClusterRole", aggregate["metadata"]["name"]),
            me,
            labels,
        ),
        *_operator(KLUSTERLET_OPERATOR, "klusterlet", klusterlet_operator_rules(), options),
    ]


def _operator(name: str, role: str, rules: Sequence[Object], options: OperatorOptions) -> list[Object]:
    labels = _labels(name, options)
    work = Workload(
        name,
        OPERATOR_NAMESPACE,
        app=name,
        container=CONTAINER[name],
        image=options.image,
        args=("operator", "run", "--role", role, "--image", options.image, *options.extra_args),
        account=name,
        labels=options.labels,
        # Two at once would do no harm, but one is enough; the next one starts when this one has ended.
        recreate=True,
        pull_policy=options.pull_policy,
    )
    return [
        *([namespace(OPERATOR_NAMESPACE, options.labels)] if options.create_namespace else []),
        account(name, OPERATOR_NAMESPACE, labels),
        cluster_role(name, rules, labels),
        binding(name, ("ClusterRole", name), (OPERATOR_NAMESPACE, name), labels),
        *_pull_secret(options),
        deployment(work, Placing(resource_requirement=options.resource_requirement)),
    ]


def _crd(kind: str) -> list[Object]:
    return [crd for crd in crds() if crd["spec"]["names"]["kind"] == kind]


def _labels(name: str, options: OperatorOptions) -> dict[str, str]:
    return {**options.labels, "app": name}


def _pull_secret(options: OperatorOptions) -> list[Object]:
    if not options.pull_credentials:
        return []
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": PULL_SECRET,
                "namespace": OPERATOR_NAMESPACE,
                "labels": dict(options.labels),
            },
            "type": "kubernetes.io/dockerconfigjson",
            "data": {".dockerconfigjson": base64.b64encode(options.pull_credentials).decode()},
        }
    ]
