"""What was seen of a fleet, as values: the hub, one managed cluster, and the ways between them.

`verbs.doctor` gathers it; nothing here is asked again. What could not be looked at is told as such, so that
its absence is not taken for evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import TYPE_CHECKING, Any

from gitops_ocm.decide.contract import Side, Want
from gitops_ocm.decide.projection import P, Projection
from gitops_ocm.decide.writes import labels_of
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, ref_of

if TYPE_CHECKING:
    from gitops_ocm.decide.agent.bootstrap import HubAddress
    from gitops_ocm.decide.agent.certificates import Certificate
    from gitops_ocm.decide.rollout.explanation import Explanation


@dataclass(frozen=True)
class Objects:
    """The objects of one API, by kind: a `contract.View`, so that the controllers' own functions read it.

    `unseen` says of a kind why it could not be listed. A kind that is in neither is not served.
    """

    kinds: Mapping[Kind, Sequence[Object]] = field(default_factory=dict)
    unseen: Mapping[Kind, str] = field(default_factory=dict)

    @cached_property
    def _by_ref(self) -> Mapping[Ref, Object]:
        return {ref_of(obj): obj for objects in self.kinds.values() for obj in objects}

    @cached_property
    def _projections(self) -> dict[Projection[Any], Any]:
        return {}

    @cached_property
    def _by_namespace(self) -> Mapping[tuple[Kind, str], Sequence[Object]]:
        found: dict[tuple[Kind, str], list[Object]] = {}
        for kind, objects in self.kinds.items():
            for obj in objects:
                found.setdefault((kind, obj["metadata"].get("namespace") or ""), []).append(obj)
        return found

    def seen(self, kind: Kind) -> bool:
        """Whether it is known which objects of a kind there are."""
        return kind in self.kinds

    def get(self, ref: Ref, side: Side = Side.HUB) -> Object | None:
        """The object, None where there is none (or it was not seen)."""
        return self._by_ref.get(ref)

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        side: Side = Side.HUB,
    ) -> Sequence[Object]:
        """The objects of a kind, in one namespace if it is given."""
        if namespace is not None:
            found = self._by_namespace.get((kind, namespace), ())
        else:
            found = self.kinds.get(kind, ())
        return found if not labels else [obj for obj in found if labels.items() <= labels_of(obj).items()]

    def indexed(self, index: str, value: str, side: Side = Side.HUB) -> Sequence[Object]:
        """Nothing: no index is kept."""
        return ()

    def projected(self, projection: Projection[P]) -> P:
        """Made anew, once: nothing here changes."""
        if projection not in self._projections:
            self._projections[projection] = projection.of(self.list(projection.kind))
        found: P = self._projections[projection]
        return found

    def resource(self, api_version: str, kind: str, side: Side = Side.HUB) -> Resource | None:
        """Nothing: how kinds are served is not kept."""
        return None

    def resource_named(self, api_version: str, plural: str, side: Side = Side.HUB) -> Resource | None:
        """Nothing: how kinds are served is not kept."""
        return None

    def require(self, wants: Iterable[Want], side: Side = Side.HUB) -> None:
        """All there is has been read."""


class RequestState(StrEnum):
    """Where a certificate request stands."""

    PENDING = "pending"
    DENIED = "denied"
    FAILED = "failed"
    APPROVED = "approved"
    ISSUED = "issued"


@dataclass(frozen=True)
class Request:
    """A certificate request, as far as it matters here. `agent` is the name in it, `state` where it stands.

    `decided` is when somebody approved or denied it, `not_after` the end of the certificate that was issued.
    """

    name: str
    cluster: str
    agent: str
    requester: str
    created: datetime
    state: RequestState
    said: str = ""
    decided: datetime | None = None
    not_after: datetime | None = None

    @property
    def renewal(self) -> bool:
        """Whether the agent itself asks, with the certificate it has."""
        return bool(self.agent) and self.requester == self.agent


class Fault(StrEnum):
    """Why a server was not reached, or did not let somebody in."""

    DNS = "dns"
    REFUSED = "refused"
    PROXY = "proxy"
    TIMEOUT = "timeout"
    CERTIFICATE = "certificate"
    SERVER_EXPIRED = "server-expired"
    UNAUTHORIZED = "unauthorized"
    OTHER = "other"


@dataclass(frozen=True)
class Refusal:
    """A write that the server was asked to rehearse, and what it said: quota, webhook, missing namespace."""

    what: str
    namespace: str
    reason: str
    message: str


@dataclass(frozen=True)
class Rolling:
    """A rollout that is not over: of which object, where it stands, and the command that says more."""

    subject: str
    standing: Explanation
    command: str


@dataclass(frozen=True)
class Hub:
    """The hub. `ca` is what its own kubeconfig trusts; `refusals` came of rehearsed writes.

    An `embedded` one runs no operator: its controllers are in its process. `rollouts` are those that are not
    over.
    """

    server: str
    objects: Objects = field(default_factory=Objects)
    requests: Sequence[Request] = ()
    refusals: Sequence[Refusal] = ()
    ca: bytes = b""
    now: datetime | None = None
    embedded: bool = False
    rollouts: Sequence[Rolling] = ()

    @cached_property
    def requests_by_cluster(self) -> Mapping[str, Sequence[Request]]:
        """The requests of each cluster, the oldest first."""
        found: dict[str, list[Request]] = {}
        for request in sorted(self.requests, key=lambda r: (r.created, r.name)):
            found.setdefault(request.cluster, []).append(request)
        return found


@dataclass(frozen=True)
class Way:
    """A kubeconfig an agent goes to its hub with, and what came of trying it.

    `source` is where it is kept. `expires` is when its token ends. `unusable` says what is wrong with the
    kubeconfig itself, `fault` and `said` what the attempt met, `shown` who signed the certificate that the
    server showed and `trusted` whom the kubeconfig trusts, `lacks` which rights its holder has not.
    """

    source: str
    address: HubAddress | None = None
    certificate: Certificate | None = None
    expires: datetime | None = None
    unusable: str = ""
    fault: Fault | None = None
    said: str = ""
    shown: str = ""
    trusted: str = ""
    lacks: Sequence[str] = ()
    cluster: str = ""
    agent: str = ""


@dataclass(frozen=True)
class Spoke:
    """One managed cluster, or the cluster its agents run on.

    `cluster` is what it is called on the hub. `unwell` is what its API server says of its health. The way in
    use is `hub_way`; `bootstrap_way` is how it registers. `now` is its own time. On an `embedded` server no
    operator runs, nor pods: its agents are processes elsewhere. `hidden`: its Secrets may not be read.
    """

    server: str
    cluster: str
    objects: Objects = field(default_factory=Objects)
    unwell: str = ""
    hub_way: Way | None = None
    bootstrap_way: Way | None = None
    namespace: str = ""
    now: datetime | None = None
    embedded: bool = False
    hidden: bool = False

    @property
    def blank(self) -> bool:
        """Whether it was to be seen that there are no agents at all."""
        found = self.namespace or self.hub_way or self.bootstrap_way
        return not found and not self.hidden and not self.objects.unseen


@dataclass(frozen=True)
class Evidence:
    """Everything that was seen at `now`, the hub's time where it is known.

    `clusters` are those asked for; none: the whole fleet. What is younger than `settle` seconds is left time
    to come about. `syncs` narrows HubSyncs to one.
    """

    now: datetime
    hub: Hub | None = None
    spoke: Spoke | None = None
    clusters: tuple[str, ...] = ()
    settle: float = 60.0
    sync: str = ""

    def concerns(self, cluster: str) -> bool:
        """Whether a cluster was asked for."""
        return not self.clusters or cluster in self.clusters

    def settled(self, since: datetime | None) -> bool:
        """Whether something has had the time to come about."""
        return since is None or (self.now - since).total_seconds() >= self.settle
