"""A drawn change really made on a hub with agents, held against what its preview said.

    played = play(drawn(7))
    played.untrue()     every difference, in words: none

What is compared is every object that is on the hub in the end, and who was given what, when and in which
order on the way. What is left out, and why, is `LEFT_OUT` and `plain`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.addon_words import LEASE_NOT_FOUND
from gitops_ocm.api.fleet import SYNC_NAME_LABEL
from gitops_ocm.api.work_replicaset import REPLICA_SET_LABEL
from gitops_ocm.decide.contract import (
    DONE,
    Apply,
    Controller,
    Create,
    Delete,
    MergePatch,
    Outcome,
    Side,
    Update,
    View,
    Wake,
    Write,
)
from gitops_ocm.decide.kinds import (
    CLUSTER_ADDON,
    MANAGED_CLUSTER,
    MANIFEST_WORK,
    PLACEMENT_DECISION,
    cluster_ref,
)
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.work_template import normalised
from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.desired.tree import Tree, memory_tree
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.plan.changes import Policy
from gitops_ocm.plan.taints import has_taints, holds_taints, with_live_taints
from gitops_ocm.plan.waves import waves
from gitops_ocm.preview.carried_out import writes
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.run import Settings, Tried, attempt, planned
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.report.status_files import status_file
from gitops_ocm.simulate.compare import compare, end_state
from gitops_ocm.simulate.run import Step
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import HUB_URL, Fleet
from tests.preview.drawn import NAMES, Case
from tests.preview.fleets import CATALOG, MANAGER, repository, told

DEPLOYMENT = Kind("apps", "Deployment")
RIGHTS = "rbac.authorization.k8s.io"
LEFT_OUT: Mapping[Kind, str] = {
    Kind("coordination.k8s.io", "Lease"): "heartbeats",
    Kind(RIGHTS, "ClusterRole"): "an agent's rights follow from its cluster alone",
    Kind(RIGHTS, "ClusterRoleBinding"): "the same",
    Kind(RIGHTS, "Role"): "the same",
    Kind(RIGHTS, "RoleBinding"): "the same",
    Kind("", "Namespace"): "a preview makes up those that must have been there, without their labels",
}
SAID_BY_AGENTS = {
    MANIFEST_WORK: "the status of a work",
    MANAGED_CLUSTER: "the status of a cluster",
}
HOURS = 2.0
"""So long is followed what really happens; no strategy that is drawn takes longer."""
AGENT = AgentSettings("", HUB_URL, status_sync_interval=1800, resync_interval=3600)
"""Agents that look again seldom: whatever changes wakes them, and hours are to pass quickly."""


def workloads(side: Side = Side.SPOKE) -> Controller:
    """What a cluster's own controllers make of what it is given: a Deployment gets its pods at once."""

    def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
        live = view.get(key, side)
        if live is None:
            return DONE
        count = (live.get("spec") or {}).get("replicas", 1)
        up = {"replicas": count, "readyReplicas": count, "availableReplicas": count}
        if (live.get("status") or {}) == up:
            return DONE
        return Outcome((MergePatch(key, {"status": up}, side, subresource="status"),))

    return Controller("workloads", "cluster", reconcile, (Wake(DEPLOYMENT, side=side),))


@dataclass(frozen=True)
class Given:
    """One thing done for a cluster: at which second after the merge, what."""

    after: int
    cluster: str
    what: str


@dataclass
class Played:
    """A preview, and what happened."""

    case: Case
    tried: Tried
    preview: Preview
    before: Mapping[Ref, Object]
    after: Mapping[Ref, Object]
    refused: set[Ref]
    given: Sequence[Given]

    def untrue(self) -> list[str]:
        """What the preview had wrong."""
        start = self.preview.now
        said = spread(self.tried.steps, start)
        return [
            *differences("before: ", self.tried.before, self.before),
            *differences("after: ", self.tried.after, self.after),
            *_sides(
                "refused: ", {str(u.change.ref) for u in self.tried.undone}, {str(r) for r in self.refused}
            ),
            *_sides("on the way: ", said, self.given),
        ]


def _sides(title: str, said: Iterable[Any], came: Iterable[Any]) -> Iterator[str]:
    told, happened = set(said), set(came)
    yield from (f"{title}said, but did not happen: {item}" for item in sorted(map(str, told - happened)))
    yield from (f"{title}happened, unsaid: {item}" for item in sorted(map(str, happened - told)))


def differences(title: str, said: Mapping[Ref, Object], came: Mapping[Ref, Object]) -> Iterator[str]:
    for changed in compare(plain(said.values()), plain(came.values())):
        if changed.before is None or changed.after is None:
            yield f"{title}{changed.ref}: {'unsaid' if changed.before is None else 'said, but is not there'}"
            continue
        if changed.ref.of == MANIFEST_WORK and not manifests_of(changed.before):
            continue  # Of an earlier template a file tells the digest alone: no manifests are in it.
        for found in changed.differences[:4]:
            yield f"{title}{changed.ref} {found.path}: said {found.before!r}, is {found.after!r}"


def manifests_of(work: Object) -> Sequence[Object]:
    """What a work holds."""
    return ((work.get("spec") or {}).get("workload") or {}).get("manifests") or ()


def plain(objects: Iterable[Object]) -> dict[Ref, Object]:
    """Objects without what only one of two hubs can have: names of uids, finalizers, agents' accounts."""
    kept = [_plain(obj) for obj in objects if ref_of(obj).of not in LEFT_OUT]
    return {_named(ref, obj): obj for ref, obj in end_state(kept).items()}


def _plain(obj: Object) -> Object:
    ref = ref_of(obj)
    meta = {k: v for k, v in obj["metadata"].items() if k not in ("finalizers", "annotations")}
    meta["labels"] = {k: v for k, v in (meta.get("labels") or {}).items() if k != SYNC_NAME_LABEL}
    meta["ownerReferences"] = [
        {"kind": o["kind"], "name": o["name"]} for o in meta.get("ownerReferences") or ()
    ]
    made = {**obj, "metadata": meta}
    if conditions := (obj.get("status") or {}).get("conditions"):
        told = {c["type"]: c for c in conditions if c.get("reason") != LEASE_NOT_FOUND.reason}
        made["status"] = {**obj["status"], "conditions": told}
    if ref.of == CLUSTER_ADDON and "status" in made:
        made["status"] = {**made["status"], "configReferences": _content(made["status"])}
    if ref.of == PLACEMENT_DECISION:  # An emptied one says so, a new one has no status at all.
        made["status"] = {"decisions": (obj.get("status") or {}).get("decisions") or []}
    if ref.of in SAID_BY_AGENTS:
        made.pop("status", None)
    if _is_empty(made.get("status")):
        made.pop("status", None)
    if ref.of == MANIFEST_WORK:
        made["spec"] = normalised(obj.get("spec") or {})
    return made


def _content(status: Mapping[str, Any]) -> list[Object]:
    """Which configuration by content: nothing tells the generations of objects."""
    every = status.get("configReferences") or ()
    return [{k: v for k, v in each.items() if k != "lastObservedGeneration"} for each in every]


def _is_empty(status: Any) -> bool:
    return not any(status.values()) if isinstance(status, Mapping) else not status


def _named(ref: Ref, obj: Object) -> Ref:
    """A replica set's work is known by its set: its own name ends in a hash of a uid."""
    owner = (obj["metadata"].get("labels") or {}).get(REPLICA_SET_LABEL) if ref.of == MANIFEST_WORK else None
    if owner is None:
        return ref
    obj["metadata"] = {**obj["metadata"], "name": owner}
    return Ref(*ref.of, ref.namespace, owner)


def spread(steps: Iterable[Step], start: datetime) -> list[Given]:
    """Who was given which work or add-on when, by which controller, from what was written."""
    found = []
    for step in steps:
        if step.process or step.at < start:
            continue
        for result in step.results:
            if not result.ok or (what := _what(result.write, result.obj)) is None:
                continue
            ref, content = what
            found.append(Given(int((step.at - start).total_seconds()), ref.namespace, content))
    return found


def _what(write_: Write, obj: Object | None) -> tuple[Ref, str] | None:
    match write_:
        case Create() | Apply() | Update() | MergePatch() if obj is not None:
            ref = ref_of(obj)
        case Delete():
            return (write_.ref, f"delete {write_.ref.kind}") if _is(write_.ref) else None
        case _:
            return None
    if not _is(ref) or (not isinstance(write_, Create) and write_.subresource):
        return None
    return ref, content_of(obj)


def content_of(obj: Object) -> str:
    """What a cluster is given with a work or an add-on: whose, and which."""
    ref = ref_of(obj)
    owner = (obj["metadata"].get("labels") or {}).get(REPLICA_SET_LABEL, ref.name)
    spec = normalised(obj.get("spec") or {}) if ref.of == MANIFEST_WORK else obj.get("spec") or {}
    return f"{ref.kind} {owner} {digest(spec)[:8]}"


def _is(ref: Ref) -> bool:
    return ref.of in (MANIFEST_WORK, CLUSTER_ADDON)


@dataclass(frozen=True)
class Before:
    """A fleet that runs what a case has before its change, and all that a preview of that is made of."""

    fleet: Fleet
    base: DesiredState
    head: DesiredState
    state: FleetState
    now: datetime
    settings: Settings

    def tried(self, *, whole: bool = False) -> Tried:
        """The change tried, from the status branch alone."""
        return attempt(
            self.base,
            self.head,
            self.state,
            catalog=CATALOG,
            now=self.now,
            settings=self.settings,
            whole=whole,
        )

    def preview(self, tried: Tried) -> Preview:
        """What is said of it."""
        return preview_of(tried, self.base, self.head, self.state, self.now)


def before_change(case: Case) -> Before:
    """Let a fleet run what a case has at first."""
    alive = [name for name in NAMES if name not in case.silent]
    fleet = Fleet(alive, namespaces=("default",), agent=AGENT, step_limit=20_000, rows=(workloads(),))
    for name in alive:
        claims = case.claims.get(name, {})
        fleet.create(*(make.cluster_claim(k, v) for k, v in claims.items()), cluster=name)
        fleet.create(make.namespace("open-cluster-management-agent-addon"), cluster=name)
    base = repository(case.files, "0" * 40)
    merged(fleet, repository({}), base, Policy(max_prune_percent=100))
    _silence(fleet, case)
    fleet.advance(hours=HOURS)
    if case.meanwhile is not None:
        halfway = repository(case.meanwhile, "1" * 40)
        merged(fleet, base, halfway, Policy(max_prune_percent=100))
        fleet.advance(seconds=case.pause)
        base = halfway
    head, state = repository(case.head, "2" * 40), read_state(account(fleet, base))
    policy = Policy() if case.guarded else Policy(max_prune_percent=100)
    return Before(fleet, base, head, state, fleet.simulation.now, Settings(policy=policy))


def play(case: Case) -> Played:
    """Preview the change from the status branch alone, then make it, and let hours pass."""
    start = before_change(case)
    fleet, now = start.fleet, start.now
    tried = start.tried()
    before = _all(fleet)
    done = len(fleet.simulation.steps)
    refused = merged(fleet, start.base, start.head, start.settings.policy)
    fleet.advance(hours=HOURS)
    given = spread(fleet.simulation.steps[done:], now)
    return Played(case, tried, start.preview(tried), before, _all(fleet), refused, given)


def account(fleet: Fleet, commit: DesiredState) -> Tree:
    """The status branch of a fleet whose sync has taken a commit."""
    tree = told(fleet)
    files = {path: tree.read(path).decode() for path in tree.entries}
    sync = {
        "apiVersion": "sync.gitops-ocm.io/v1alpha1",
        "kind": "HubSync",
        "metadata": {"name": "fleet"},
        "status": {"lastAppliedCommit": commit.commit, "lastAttemptedCommit": commit.commit},
    }
    return memory_tree({**files, "sync.yaml": status_file(sync)})


def _all(fleet: Fleet) -> dict[Ref, Object]:
    return {ref_of(obj): obj for obj in fleet.hub.all()}


def _silence(fleet: Fleet, case: Case) -> None:
    """Clusters without an agent have been there once, and are known to be gone."""
    for name in sorted(case.silent):
        if (cluster := fleet.hub.get(cluster_ref(name))) is None:
            continue
        body = {"status": {"conditions": gone_silent(cluster)}}
        (result,) = fleet.simulation.act(MergePatch(cluster_ref(name), body, subresource="status"))
        assert result.error is None, result.error
    fleet.simulation.settle()


def gone_silent(cluster: Object) -> list[Object]:
    """The conditions of a cluster that joined once, and has not been heard of for long."""
    held = list((cluster.get("status") or {}).get("conditions") or ())
    told = {"reason": "Earlier", "message": "", "lastTransitionTime": "2025-12-01T00:00:00Z"}
    gone = (("ManagedClusterJoined", "True"), ("ManagedClusterConditionAvailable", "Unknown"))
    there = {condition["type"] for condition in held}
    return [*held, *({"type": t, "status": s, **told} for t, s in gone if t not in there)]


def _held_again(fleet: Fleet, base: DesiredState) -> None:
    """The sync takes a list back that the hub's controller wrote: it holds what Git wants, as it stands."""
    for item in base.objects:
        live = fleet.hub.get(item.ref)
        if live is not None and has_taints(item.obj) and not holds_taints(live, MANAGER):
            (result,) = fleet.simulation.act(Apply(with_live_taints(item.obj, live)), manager=MANAGER)
            assert result.error is None, result.error


def merged(fleet: Fleet, base: DesiredState, head: DesiredState, policy: Policy) -> set[Ref]:
    """What the sync does on the hub, and all that follows at once; what the hub refused."""
    refused = set()
    _held_again(fleet, base)
    lacking = {item.ref for item in base.objects if fleet.hub.get(item.ref) is None}
    for wave in waves(planned(base, head, policy, owner="fleet", lacking=lacking)):
        for change in wave.changes:
            todo = writes(change, fleet.hub.get(change.ref), MANAGER)
            results = fleet.simulation.act(*todo, manager=MANAGER)
            refused |= {change.ref for result in results if result.error is not None}
        fleet.simulation.settle()
    return refused
