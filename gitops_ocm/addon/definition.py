"""What an author says of an add-on, as values.

How that becomes the agent of a cluster is `agent`'s; nothing here does anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar, cast

from pydantic import BaseModel, ConfigDict

from gitops_ocm.addon.health import workloads
from gitops_ocm.decide.addons.agent import Probe
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.names import label_problems

Manifest = dict[str, Any]
"""A Kubernetes object as a plain mapping."""


class Config(BaseModel):
    """What may be set of an add-on, with its defaults: subclass it.

    A field is set by a variable of that name, in capitals or not, in the AddOnDeploymentConfig that holds for
    a cluster, or by the JSON in the annotation `addon.open-cluster-management.io/values` of its
    ManagedClusterAddOn; the former wins. What is set and is no field is an error, which the status tells.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)


C = TypeVar("C", bound=Config)


@dataclass(frozen=True)
class Request(Generic[C]):
    """For whom manifests are asked: one cluster, with what is known of it.

    `namespace` is where the agent is to run; `deployment` is the spec of the AddOnDeploymentConfig in force,
    for whoever heeds its node placement, registries or proxy.
    """

    cluster: str
    addon: str
    namespace: str
    config: C
    labels: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    deployment: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Rule:
    """Something that may be done to resources (`plural` or `plural/subresource`) of a group."""

    group: str
    resources: tuple[str, ...]
    verbs: tuple[str, ...]
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class HubAccess:
    """The agent gets a kubeconfig of the hub, in the Secret `<add-on>-hub-kubeconfig`.

    `rules` are what it may do there in the namespace of its own cluster.
    """

    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True)
class Signer:
    """The agent gets a certificate of a signer of the add-on's own.

    `ca_namespace` and `ca_secret` name the Secret on the hub with the CA's `tls.crt` and `tls.key`.
    """

    name: str
    ca_namespace: str
    ca_secret: str
    user: str = ""
    groups: tuple[str, ...] = ()


Manifests = Callable[[Request[C]], Iterable[Manifest]]


@dataclass(frozen=True)
class Addon(Generic[C]):
    """One add-on.

    `manifests` says what its agent is made of on a cluster; it must answer the same for the same request,
    for it is asked often. `namespace` is where the agent runs unless a configuration says otherwise. With
    `hosts` what is marked by the annotation `addon.open-cluster-management.io/hosted-manifest-location:
    hosting` goes onto the cluster that hosts the add-on.
    """

    name: str
    manifests: Manifests[C]
    config: type[C] = cast("Any", Config)  # noqa: RUF009 -- no call that does anything
    health: Probe = field(default_factory=workloads)
    hub_access: HubAccess | None = None
    signers: Sequence[Signer] = ()
    namespace: str = "open-cluster-management-agent-addon"
    hosts: bool = False

    def __post_init__(self) -> None:
        if problems := label_problems(self.name):
            why = f"{self.name!r} is no name for an add-on: {problems[0]}"
            raise GitopsError(why, hint="use a DNS label")
