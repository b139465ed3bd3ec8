"""What every kind has in common: metadata, conditions, selectors, references, Status.

Only the Kubernetes types that our kinds embed or that a client must read are here; what to do
with them (matching, setting a condition) is in `objects`.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal, NamedTuple, Self

from pydantic import Field

from gitops_ocm.api.base import LIST_ATOMIC, Int32, Int64, Model, TimeText, list_map
from gitops_ocm.api.quantity import Resources

DNS_LABEL = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$"
DNS_SUBDOMAIN = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*)$"
DNS_PREFIX = r"^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*/)?"
QUALIFIED_NAME = DNS_PREFIX + r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])$"
"""A label key, a condition type: a name, optionally behind a DNS prefix."""


class OwnerReference(Model):
    """An object this one belongs to, and with which it is garbage collected."""

    api_version: str
    kind: str
    name: str
    uid: str
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class ObjectMeta(Model):
    """Name, labels and the bookkeeping of the API server."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: Int64 | None = None
    creation_timestamp: TimeText | None = None
    deletion_timestamp: TimeText | None = None
    deletion_grace_period_seconds: Int64 | None = None
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    owner_references: list[OwnerReference] | None = None
    finalizers: list[str] | None = None
    managed_fields: list[dict[str, Any]] | None = None


class KubeObject(Model):
    """An object with a kind of its own; subclasses fix `api_version` and `kind`."""

    api_version: str
    kind: str
    metadata: ObjectMeta = Field(default_factory=ObjectMeta)

    def to_dict(self) -> dict[str, Any]:
        """The JSON it was read from or made of; `apiVersion` and `kind` are always there."""
        return {"apiVersion": self.api_version, "kind": self.kind, **self.model_dump(exclude_unset=True)}

    @classmethod
    def named(cls, name: str, namespace: str = "", /, **fields: Any) -> Self:
        """An object of this name with the given fields: `ManagedCluster.named("c1", spec=...)`."""
        meta = ObjectMeta(name=name, namespace=namespace) if namespace else ObjectMeta(name=name)
        return cls(metadata=meta, **fields)


class Condition(Model):
    """One observed aspect of an object's state."""

    type: str = Field(max_length=316, pattern=QUALIFIED_NAME, description="Which aspect, in CamelCase.")
    status: Literal["True", "False", "Unknown"] = Field(description="Whether it holds.")
    observed_generation: Int64 | None = Field(
        None, ge=0, description="The metadata.generation this was judged from."
    )
    last_transition_time: TimeText = Field(description="When the status last changed.")
    reason: str = Field(
        min_length=1,
        max_length=1024,
        pattern=r"^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$",
        description="Why, for machines, in CamelCase.",
    )
    message: str = Field(max_length=32768, description="Why, for people.")


Conditions = Annotated[list[Condition], list_map("type")]


class LabelSelectorRequirement(Model):
    """One expression of a label selector."""

    key: str = Field(description="The label key it looks at.")
    operator: str = Field(description="In, NotIn, Exists or DoesNotExist.")
    values: Annotated[list[str], LIST_ATOMIC] | None = Field(
        None, description="The values for In and NotIn; none for the other two."
    )


class LabelSelector(Model):
    """A query over labels; all of it must match. Empty matches everything."""

    atomic = True

    match_labels: dict[str, str] | None = Field(None, description="Labels that must have these values.")
    match_expressions: Annotated[list[LabelSelectorRequirement], LIST_ATOMIC] | None = Field(
        None, description="Expressions that must hold."
    )


class Toleration(Model):
    """A taint of a node that a pod puts up with."""

    key: str | None = Field(None, description="Key of the taint; empty with Exists matches all.")
    operator: str | None = Field(None, description="Exists or Equal (the default).")
    value: str | None = Field(None, description="Value of the taint, with Equal.")
    effect: str | None = Field(None, description="Effect of the taint; empty matches all.")
    toleration_seconds: Int64 | None = Field(None, description="How long a NoExecute taint is put up with.")


class NodePlacement(Model):
    """Which nodes pods may run on."""

    node_selector: dict[str, str] | None = Field(None, description="Labels a node must have.")
    tolerations: list[Toleration] | None = Field(None, description="Taints the pods put up with.")


class ResourceClaim(Model):
    """A claim of the pod that a container uses."""

    name: str = Field(description="Name of the claim in the pod.")
    request: str | None = Field(None, description="Name of the request in the claim; empty means all of it.")


class ResourceRequirements(Model):
    """What a container asks for and may use at most."""

    limits: Resources | None = Field(None, description="The most it may use.")
    requests: Resources | None = Field(None, description="What it is sure to get.")
    claims: Annotated[list[ResourceClaim], list_map("name")] | None = Field(
        None, description="Claims of the pod that it uses."
    )


class RoleRef(Model):
    """The role that a binding grants."""

    atomic = True

    api_group: str = Field(description="API group of the role.")
    kind: str = Field(description="Role or ClusterRole.")
    name: str = Field(description="Name of the role.")


class StatusCause(Model):
    """One of the reasons inside a `Status`."""

    reason: str | None = None
    message: str | None = None
    field: str | None = None


class StatusDetails(Model):
    """What a `Status` is about."""

    name: str | None = None
    group: str | None = None
    kind: str | None = None
    uid: str | None = None
    causes: list[StatusCause] | None = None
    retry_after_seconds: Int32 | None = None


class Status(Model):
    """What an API server answers when it has no object to give: `kind: Status`."""

    api_version: Literal["v1"] = "v1"
    kind: Literal["Status"] = "Status"
    metadata: dict[str, Any] = Field(default_factory=dict)
    status: Literal["Success", "Failure"] | None = None
    message: str | None = None
    reason: str | None = None
    details: StatusDetails | None = None
    code: Int32 | None = None


class KnownCondition(NamedTuple):
    """A condition as the protocol words it; `message` may have `{placeholders}`."""

    type: str
    status: str
    reason: str
    message: str = ""

    @property
    def verdict(self) -> tuple[str, str, str]:
        """Status, reason and message, where the type is known otherwise."""
        return self.status, self.reason, self.message

    def saying(self, **values: object) -> KnownCondition:
        """The same condition with the placeholders of its message filled in."""
        return self._replace(message=self.message.format(**values))
