"""The controller contract: what a reconciler sees and what it may answer.

    reconcile(view, key, now) -> Outcome(actions, requeue_after, then)

A reconciler reads a `View`, never a network, a disk, a clock or a random source. Two interpreters
carry its answer out: `live.runner` against real APIs, `simulate.run` against memory under a
virtual clock. `decide.controllers` is the table that names every reconciler with what it reads
and what wakes it.

Rules a reconciler keeps:

* Level-triggered: the answer follows from the view alone, whatever woke it. When nothing is to be
  done it returns `DONE`, and that must be so right after its own writes have come back.
* Objects from the view are read-only; build new ones.
* A write to spec is a server-side-apply fragment (`Apply`) under the controller's own field
  manager, except where the OCM protocol says otherwise (a klusterlet has no `patch` on some
  resources). A write to status is a `MergePatch` on the status subresource carrying `metadata.uid`
  and `metadata.resourceVersion`, as OCM's writers do.
* Iterate over sorted things only.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol

from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, ref_of, split_api_version

if TYPE_CHECKING:
    from gitops_ocm.decide.projection import P, Projection


class Side(StrEnum):
    """Which API an object lives on. Hub controllers know only `HUB`; an agent knows both."""

    HUB = "hub"
    SPOKE = "spoke"


REVIEWS = "authorization.k8s.io/"
LOCAL_GROUP = "local.gitops-ocm.io"
"""Objects of this API group are in no API: the process itself puts them into its cache.

A runner never watches them and a view never raises `Unread` for them. They carry measurements into
pure code (`decide.agent.facts`), and wake controllers like any object.
"""


class Unread(GitopsError):
    """A view was asked for kinds that are not being watched yet.

    The runner catches it, starts watching (or reading) them and calls the reconciler again once
    they are there. So a reconciler simply asks; the simulator never raises it. What a reconcile read
    of kinds that its controller does not declare wakes its key when it changes: so the work agent is
    woken by what it applied, whichever kinds those are.
    """

    code = "unread"

    def __init__(self, side: Side, wants: Iterable[Want]) -> None:
        self.side = side
        self.wants = tuple(wants)
        super().__init__("not watched yet: " + ", ".join(str(w) for w in self.wants))


class Laborious(GitopsError):
    """A reconcile needs what takes long to work out, longer than others should have to wait.

    The runner has `work` done in a thread, and calls the reconciler again. `work` may ask how many seconds of
    a processor it has had, and returns after one: what it has worked out by then is kept, so that there is
    less to do each time. It is raised only where somebody is in a hurry (`objects.cel.patience.hurry`).
    """

    code = "laborious"

    def __init__(self, what: str, work: Callable[[Callable[[], float]], None]) -> None:
        self.work = work
        super().__init__(f"takes longer than others can wait: {what}")


@dataclass(frozen=True, order=True)
class Want:
    """A kind in one namespace (`""`: all namespaces, or cluster-scoped), at `version` (`""`: any).

    With a `name` it is that object alone: what rights on single objects (`resourceNames`) allow.
    """

    kind: Kind
    namespace: str = ""
    version: str = ""
    name: str = ""

    def __str__(self) -> str:
        named = f" {self.name}" if self.name else ""
        return f"{self.kind}{named} in {self.namespace}" if self.namespace else f"{self.kind}{named}"

    def covers(self, other: Want) -> bool:
        """Whether whoever sees all of this sees all of `other`, in whichever version."""
        return (
            self.kind == other.kind
            and self.namespace in ("", other.namespace)
            and (self.name in ("", other.name) if self.namespace == other.namespace else not self.name)
        )


class View(Protocol):
    """The objects of the APIs a reconciler may look at, as they were last seen.

    Everything handed out is shared: read it, never change it. Lists are sorted by (namespace, name).
    `Unread` may be raised by every method but `resource` and `resource_named`.
    """

    def get(self, ref: Ref, side: Side = Side.HUB) -> Object | None:
        """The object, or None when it does not exist."""
        ...

    def list(
        self,
        kind: Kind,
        namespace: str | None = None,
        *,
        labels: Mapping[str, str] | None = None,
        side: Side = Side.HUB,
    ) -> Sequence[Object]:
        """All objects of a kind (in `namespace` if given) whose labels contain `labels`."""
        ...

    def indexed(self, index: str, value: str, side: Side = Side.HUB) -> Sequence[Object]:
        """Objects that a named index (declared in the controller table) files under `value`."""
        ...

    def projected(self, projection: Projection[P]) -> P:
        """What is kept of all objects of the projection's kind, up to date with this view."""
        ...

    def resource(self, api_version: str, kind: str, side: Side = Side.HUB) -> Resource | None:
        """How the API serves a kind at that version, or None where it does not serve it."""
        ...

    def resource_named(self, api_version: str, plural: str, side: Side = Side.HUB) -> Resource | None:
        """As `resource`, by the plural that a URL has (`deployments`): ledgers name resources so."""
        ...

    def require(self, wants: Iterable[Want], side: Side = Side.HUB) -> None:
        """Raise one `Unread` for all of `wants` that are not watched yet; otherwise nothing."""
        ...


class Propagation(StrEnum):
    """What happens to an object's dependents when it is deleted."""

    BACKGROUND = "Background"
    FOREGROUND = "Foreground"
    ORPHAN = "Orphan"


@dataclass(frozen=True)
class Create:
    """POST the object; `generateName` is allowed (the shell makes the name).

    With `rehearsed_by` nothing is kept: the API says what would come of it if that user did it.
    """

    obj: Object
    side: Side = Side.HUB
    rehearsed_by: str = ""


@dataclass(frozen=True)
class Apply:
    """Server-side apply of a fragment under the controller's field manager.

    `subresource` is `""` or `"status"`. `force` takes fields over from other managers. `manager`
    overrides the controller's own.
    """

    obj: Object
    side: Side = Side.HUB
    subresource: str = ""
    force: bool = True
    manager: str = ""


@dataclass(frozen=True)
class Update:
    """PUT the whole object; it carries the resourceVersion it was computed from."""

    obj: Object
    side: Side = Side.HUB
    subresource: str = ""


@dataclass(frozen=True)
class MergePatch:
    """JSON merge patch (RFC 7386). Include `metadata.uid`/`resourceVersion` to lock (→ 409)."""

    ref: Ref
    body: Object
    side: Side = Side.HUB
    subresource: str = ""
    version: str = ""


@dataclass(frozen=True)
class Delete:
    """DELETE with preconditions; a 404 counts as success. `version` as for `MergePatch`."""

    ref: Ref
    side: Side = Side.HUB
    propagation: Propagation = Propagation.BACKGROUND
    uid: str = ""
    resource_version: str = ""
    version: str = ""


@dataclass(frozen=True)
class Emit:
    """An Event about `about` (`events.k8s.io/v1`): `kind` is `Normal` or `Warning`.

    Events are best effort: a failure to write one is logged and fails nothing. They are written where
    the object is; `namespace` says where for one that is cluster-scoped (a ManagedCluster's events are
    in the cluster's own namespace, the only one its agent may write to). `related` is what else it is about,
    `component` who reports it, where that is not the process.
    """

    about: Object
    reason: str
    message: str
    kind: str = "Normal"
    action: str = ""
    side: Side = Side.HUB
    namespace: str = ""
    related: Object | None = None
    component: str = ""


Write = Create | Apply | Update | MergePatch | Delete | Emit


def is_kept(write: Write) -> bool:
    """Whether an API keeps anything of a write: not of a rehearsal, nor of an access review."""
    if not isinstance(write, Create):
        return True
    return not write.rehearsed_by and not str(write.obj.get("apiVersion", "")).startswith(REVIEWS)


@dataclass(frozen=True)
class Result:
    """What came of one write: the object the API answered with, or the error. One of them is set.

    For a `Delete` of something already gone, and for an `Emit`, both are None.
    """

    write: Write
    obj: Object | None = None
    error: ApiError | None = None

    @property
    def ok(self) -> bool:
        """Whether the write did what it was meant to do."""
        return self.error is None


Then = Callable[[Sequence[Result]], "Outcome"]
"""The next step once writes were tried: also pure, also a function of values alone."""


@dataclass(frozen=True)
class Outcome:
    """What a reconciler wants done.

    `actions` are carried out in order; the first error stops the rest, unless `keep_going`. Without
    `then` an error puts the key back with rate-limited backoff (a 409 conflict quickly, without
    noise). With `then`, the results of all actions tried (in order) are handed to it, errors
    included, and its Outcome is carried out next: it decides what an error means. `requeue_after`
    seconds wakes the key again (None: only changes do); the last Outcome of the chain counts, and
    the smaller of its own and its predecessors'. `retry` asks for the key to be put back with
    backoff although no write failed (the reason is for the log). `notes` explain for people.
    """

    actions: tuple[Write, ...] = ()
    requeue_after: float | None = None
    then: Then | None = None
    keep_going: bool = False
    retry: str = ""
    notes: tuple[str, ...] = ()


DONE = Outcome()

Reconcile = Callable[[View, Ref, datetime], Outcome]
KeyMapper = Callable[[View, Object], Iterable[Ref]]
"""From an object that changed to the keys to look at again (it may use the view)."""


@dataclass(frozen=True)
class Wake:
    """A kind whose changes wake a controller; `to` maps the object to keys (default: its own ref).

    The mapper is called with the old and with the new object, so a move wakes both ends.
    `when(old, new)` may drop changes that cannot matter (None: all matter); old or new is None for
    an addition or a deletion. With `side` SPOKE the object is on the managed cluster.
    `affects` takes the place of both: it is asked once, what a change from old to new affects. It is not
    asked about what is there at the start or at a resync; other wakes bring those keys.
    """

    kind: Kind
    to: KeyMapper | None = None
    when: Callable[[Object | None, Object | None], bool] | None = None
    side: Side = Side.HUB
    affects: Callable[[View, Object | None, Object | None], Iterable[Ref]] | None = None

    def keys(self, view: View, old: Object | None, new: Object | None) -> list[Ref]:
        """The keys a change wakes; (None, object) is an addition."""
        if self.affects is not None:
            return list(self.affects(view, old, new))
        found: list[Ref] = []
        for obj in (old, new):
            if obj is not None:
                found += [ref_of(obj)] if self.to is None else self.to(view, obj)
        return found


@dataclass(frozen=True)
class Index:
    """A named index over a kind: `values(obj)` says under which strings it is filed."""

    name: str
    kind: Kind
    values: Callable[[Object], Iterable[str]]
    side: Side = Side.HUB


@dataclass(frozen=True)
class Read:
    """A kind a controller reads: watched by the runner, granted by the RBAC in `deploy/`.

    `namespace` and `name` narrow it (an agent reads only its own), for the kind's wakes too.
    `managed_fields` asks for objects with their managedFields, which a runner otherwise leaves out of
    its caches.
    """

    kind: Kind
    namespace: str = ""
    side: Side = Side.HUB
    managed_fields: bool = False
    name: str = ""


@dataclass(frozen=True)
class Controller:
    """One row of the table.

    `group` is what `--controllers`/`--agents` pick by. `wakes` implies reading those kinds; `reads`
    names the others. `writes` (on the hub) and `spoke_writes` are for RBAC: verbs by `plural` in the core
    group, `group/plural` or `group/plural/subresource`; what works hold is not among them.
    `resync` seconds re-queues every known key (0: never), jittered. `seeds` are keys queued once at
    start: what has to be there although nothing exists yet whose change could wake the controller.
    """

    name: str
    group: str
    reconcile: Reconcile
    wakes: tuple[Wake, ...]
    reads: tuple[Read, ...] = ()
    indexes: tuple[Index, ...] = ()
    projections: tuple[Projection[Any], ...] = ()
    field_manager: str = ""
    resync: float = 0
    workers: int = 4
    writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    seeds: tuple[Ref, ...] = ()
    spoke_writes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def wants(self) -> list[tuple[Side, Want]]:
        """What is to be watched for this row: the kinds of its wakes, reads and indexes, sorted.

        A kind that is read in named namespaces, or by name, only is watched so, also when it wakes.
        """
        found: dict[tuple[Side, Kind], set[Want]] = {}
        for read in self.reads:
            want = Want(read.kind, read.namespace, name=read.name)
            found.setdefault((read.side, read.kind), set()).add(want)
        others = [(w.side, w.kind) for w in self.wakes]
        others += [(i.side, i.kind) for i in self.indexes] + [(p.side, p.kind) for p in self.projections]
        for side, kind in others:
            found.setdefault((side, kind), {Want(kind)})
        return [
            (side, want)
            for (side, _), wants in sorted(found.items())
            for want in sorted(wants)
            if not any(other.covers(want) for other in wants - {want})
        ]


def status_patch(obj: Mapping[str, Any], status: Mapping[str, Any], side: Side = Side.HUB) -> MergePatch:
    """The write of (a part of) an object's status that fails if the object has moved on."""
    meta = obj["metadata"]
    body: Object = {
        "metadata": {"uid": meta.get("uid", ""), "resourceVersion": meta.get("resourceVersion", "")},
        "status": dict(status),
    }
    _, version = split_api_version(obj.get("apiVersion", ""))
    return MergePatch(ref_of(obj), body, side, subresource="status", version=version)
