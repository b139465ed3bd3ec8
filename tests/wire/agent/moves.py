"""What is done in a case, and what is waited for, as values: a case is a list of moves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, split_api_version
from gitops_ocm.testing.waiting import eventually
from tests.wire.agent.expected import (
    ABSENT,
    Entry,
    conditions_in,
    differences,
    work_conditions,
)
from tests.wire.agent.scene import APPLIED_WORKS, Scene

PATIENCE = 60.0
WORK_FINALIZER = "cluster.open-cluster-management.io/manifest-work-cleanup"
ANCHOR_FINALIZER = "cluster.open-cluster-management.io/applied-manifest-work-cleanup"


class Move(Protocol):
    """One step."""

    async def make(self, scene: Scene) -> None:
        """Do it, or wait for it."""


@dataclass(frozen=True)
class Work:
    """Create the work, or replace its spec."""

    manifests: Sequence[Object] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)

    async def make(self, scene: Scene) -> None:
        spec = {"workload": {"manifests": list(self.manifests)}, **self.options}
        await scene.put_work(scene.filled(spec), scene.filled(self.name), self.labels)


@dataclass(frozen=True)
class End:
    """Delete the work."""

    name: str = ""

    async def make(self, scene: Scene) -> None:
        await scene.end_work(scene.filled(self.name))


@dataclass(frozen=True)
class There:
    """Somebody creates an object on the managed cluster."""

    obj: Object

    async def make(self, scene: Scene) -> None:
        await scene.make(scene.filled(self.obj))


@dataclass(frozen=True)
class Change:
    """Somebody changes an object on the managed cluster."""

    obj: Object
    body: Mapping[str, Any]
    subresource: str = ""

    async def make(self, scene: Scene) -> None:
        await scene.change(scene.filled(self.obj), scene.filled(self.body), subresource=self.subresource)


@dataclass(frozen=True)
class Status:
    """What runs on the managed cluster reports a status."""

    obj: Object
    status: Mapping[str, Any]

    async def make(self, scene: Scene) -> None:
        await scene.change(
            scene.filled(self.obj), {"status": scene.filled(self.status)}, subresource="status"
        )


@dataclass(frozen=True)
class Gone:
    """Somebody deletes an object on the managed cluster."""

    obj: Object

    async def make(self, scene: Scene) -> None:
        await scene.remove(scene.filled(self.obj))


@dataclass(frozen=True)
class Managed:
    """See that a manager holds a field (`f:data.f:key`) of an object by applying it."""

    obj: Object
    manager: str
    path: str

    async def make(self, scene: Scene) -> None:
        live = await scene.find(scene.filled(self.obj))
        assert live is not None
        fields: Any = [
            entry["fieldsV1"]
            for entry in live["metadata"]["managedFields"]
            if entry["manager"] == self.manager and entry["operation"] == "Apply"
        ]
        assert len(fields) == 1, live["metadata"]["managedFields"]
        found = fields[0]
        for part in self.path.split("."):
            assert part in found, f"{self.manager} holds {fields[0]}"
            found = found[part]


@dataclass(frozen=True)
class Expect:
    """Wait until the work, its ledger and the managed cluster are exactly so."""

    entries: Sequence[Entry] = ()
    gone: Sequence[Object] = ()
    conditions: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    name: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)
    listed: Sequence[int] | None = None
    """The entries that the ledger has; None: those of objects that are there."""
    ledger: bool = True
    """Whether to look at the ledger: OCM's agent renews it when it applies, ours as it happens."""
    lingering: Sequence[Object] = ()
    """Objects that have left the work but not the ledger."""

    async def make(self, scene: Scene) -> None:
        async def as_expected() -> bool:
            found = await self.differences(scene)
            assert not found, "\n".join([f"{scene.me}:", *found])
            return True

        await eventually(as_expected, PATIENCE, describe=f"what is expected of {scene.me}")

    async def differences(self, scene: Scene) -> list[str]:
        """Everything that is not as it should be."""
        name = scene.filled(self.name) or scene.me
        work = await scene.work(name)
        live = [await self._live(scene, entry) for entry in self.entries]
        found = self._reported(scene, work)
        found += await self._ledger(scene, name, live) if self.ledger else []
        anchor = await scene.ledger(name)
        for entry, obj in zip(self.entries, live, strict=True):
            found += _as_live(scene, entry, obj, anchor)
        for obj in self.gone:
            if await scene.find(scene.filled(obj)) is not None:
                found.append(f"{obj['kind']} {obj['metadata']['name']} is still there")
        return found

    async def _live(self, scene: Scene, entry: Entry) -> Object | None:
        manifest = scene.filled(entry.manifest)
        known = (manifest["apiVersion"], manifest["kind"]) in scene.kinds
        return await scene.find(manifest) if known and manifest["metadata"].get("name") else None

    def _reported(self, scene: Scene, work: Object) -> list[str]:
        """The work on the hub."""
        generation, status = work["metadata"]["generation"], work.get("status") or {}
        wanted = work_conditions(self.entries, generation)
        for name, (state, reason, message) in scene.filled(self.conditions).items():
            wanted[name] = (state, reason, message, generation)
        found = list(differences(wanted, conditions_in(status.get("conditions") or ()), "conditions"))
        manifests = (status.get("resourceStatus") or {}).get("manifests") or []
        if len(manifests) != len(self.entries):
            return [*found, f"{len(manifests)} manifests are reported, not {len(self.entries)}"]
        for at, (entry, reported) in enumerate(zip(self.entries, manifests, strict=True)):
            manifest = scene.filled(entry.manifest)
            served = scene.kinds.get((manifest["apiVersion"], manifest["kind"]))
            filled = Entry(**{**vars(entry), "manifest": manifest, "meta": scene.filled(entry.meta)})
            expected = {
                "resourceMeta": filled.resource_meta(
                    at, served.plural if served else "", namespaced=served is None or served.namespaced
                ),
                "conditions": {k: _texts(scene, v) for k, v in entry.conditions(generation).items()},
                "values": scene.filled(entry.feedback_values()),
            }
            is_there = {
                "resourceMeta": reported["resourceMeta"],
                "conditions": conditions_in(reported["conditions"]),
                "values": (reported.get("statusFeedback") or {}).get("values") or [],
            }
            found += differences(expected, is_there, f"manifests[{at}]")
        if WORK_FINALIZER not in work["metadata"].get("finalizers", ()):
            found.append("the work has no finalizer")
        return found

    async def _ledger(self, scene: Scene, name: str, live: Sequence[Object | None]) -> list[str]:
        """The AppliedManifestWork on the managed cluster."""
        anchor = await scene.ledger(name)
        if anchor is None:
            return ["there is no AppliedManifestWork"]
        spec = {"hubHash": scene.hub_hash, "manifestWorkName": name, "agentID": scene.agent_id}
        wanted = [
            _listed(scene, scene.filled(e.manifest), obj)
            for at, (e, obj) in enumerate(zip(self.entries, live, strict=True))
            if obj is not None and (self.listed is None or at in self.listed)
        ]
        for lingering in self.lingering:
            obj = await scene.find(scene.filled(lingering))
            wanted += [_listed(scene, scene.filled(lingering), obj)] if obj is not None else []
        wanted = list({tuple(e.values()): e for e in wanted}.values())
        wanted.sort(key=lambda e: [e[n] for n in ("group", "version", "resource", "namespace", "name")])
        # Ours enters what it is about to apply, so that a crash loses nothing; that has no uid yet.
        listed = [e for e in (anchor.get("status") or {}).get("appliedResources") or [] if e.get("uid")]
        return [
            *differences(spec, anchor["spec"], "ledger.spec"),
            *differences([ANCHOR_FINALIZER], anchor["metadata"].get("finalizers"), "ledger.finalizers"),
            *differences(dict(self.labels), anchor["metadata"].get("labels") or {}, "ledger.labels"),
            *differences(wanted, [{"group": "", "namespace": "", **e} for e in listed], "ledger.applied"),
        ]


def _texts(scene: Scene, condition: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(scene.filled(v) if isinstance(v, str) else v for v in condition)


def _listed(scene: Scene, manifest: Object, live: Object) -> Object:
    group, version = split_api_version(manifest["apiVersion"])
    meta = live["metadata"]
    return {
        "group": group,
        "version": version,
        "resource": scene.served(manifest).plural,
        "namespace": meta.get("namespace", ""),
        "name": meta["name"],
        "uid": meta["uid"],
    }


def _as_live(scene: Scene, entry: Entry, live: Object | None, anchor: Object | None) -> list[str]:
    """The object on the managed cluster."""
    what = f"{entry.manifest['kind']} of {scene.me}"
    if live is None:
        return [] if entry.live is ABSENT or entry.available != "True" else [f"{what} is not there"]
    if entry.live is ABSENT:
        return [f"{what} is there"]
    wanted = scene.filled(entry.manifest if entry.live is None else entry.live)
    found = list(differences(wanted, live, what, part=True))
    owners = live["metadata"].get("ownerReferences") or []
    mine = [o for o in owners if anchor is not None and o["uid"] == anchor["metadata"]["uid"]]
    if len(owners) - len(mine) != entry.others:
        found.append(f"{what} has the owners {owners}")
    if not entry.owned:
        return [*found, *([f"{what} is owned by the work"] if mine else [])]
    if anchor is None:
        return found
    owner = {
        "apiVersion": APPLIED_WORKS.api_version,
        "kind": APPLIED_WORKS.kind,
        "name": anchor["metadata"]["name"],
        "uid": anchor["metadata"]["uid"],
    }
    return [*found, *differences([owner], mine, f"{what} owners")]


@dataclass(frozen=True)
class Begun:
    """Wait until the agent has put its finalizer on the work, and no longer.

    Without one an API server may let a deleted work go while the agent is putting it there; what was
    applied by then is left to eviction, with OCM's agent as with ours.
    """

    async def make(self, scene: Scene) -> None:
        async def begun() -> bool:
            return WORK_FINALIZER in (await scene.work())["metadata"].get("finalizers", ())

        await eventually(begun, PATIENCE, describe=f"{scene.me} begun")


@dataclass(frozen=True)
class Unchanged:
    """See that an object of the managed cluster is still as it was."""

    obj: Object

    async def make(self, scene: Scene) -> None:
        live = await scene.find(scene.filled(self.obj))
        assert live is not None
        assert not list(differences(scene.filled(self.obj), live, scene.me, part=True))


@dataclass(frozen=True)
class Seen:
    """Wait until the agent has looked at this generation of the work, and found it so."""

    available: str = "True"

    async def make(self, scene: Scene) -> None:
        async def looked() -> bool:
            work = await scene.work()
            state, _, _, generation = conditions_in(work["status"]["conditions"])["Available"]
            return bool((state, generation) == (self.available, work["metadata"]["generation"]))

        await eventually(looked, PATIENCE, describe=f"{scene.me} looked at")


@dataclass(frozen=True)
class Deleting:
    """Wait until a deleted work says so, and only what holds it up is left in its ledger."""

    lingering: Sequence[Object] = ()
    gone: Sequence[Object] = ()

    async def make(self, scene: Scene) -> None:
        async def waiting() -> bool:
            work, anchor = await scene.work(), await scene.ledger()
            assert anchor is not None
            told = conditions_in(work["status"]["conditions"]).get("Deleting")
            assert told is not None
            assert told[:3] == ("True", "WorkDeleting", "ManifestWork is being deleted")
            for obj in self.lingering:
                live = await scene.find(scene.filled(obj))
                assert live is not None
                assert live["metadata"].get("deletionTimestamp")
            for obj in self.gone:
                assert await scene.find(scene.filled(obj)) is None
            listed = [r["name"] for r in anchor["status"]["appliedResources"]]
            assert sorted(listed) == sorted(scene.filled(obj)["metadata"]["name"] for obj in self.lingering)
            assert work["metadata"].get("deletionTimestamp")
            assert anchor["metadata"].get("deletionTimestamp")
            return True

        await eventually(waiting, PATIENCE, describe=f"{scene.me} being deleted")


@dataclass(frozen=True)
class Ended:
    """Wait until the work and its ledger are gone, and see what is left."""

    left: Sequence[Object] = ()
    gone: Sequence[Object] = ()
    name: str = ""

    async def make(self, scene: Scene) -> None:
        name = scene.filled(self.name) or scene.me

        async def ended() -> bool:
            try:
                await scene.work(name)
            except ApiError as error:
                return error.http_code == 404 and await scene.ledger(name) is None
            return False

        await eventually(ended, PATIENCE, describe=f"the end of the work {name}")
        for obj in self.gone:
            assert await scene.find(scene.filled(obj)) is None, f"{obj['kind']} is still there"
        for obj in self.left:
            live = await scene.find(scene.filled(obj))
            assert live is not None, f"{obj['kind']} is gone"
            assert not list(differences(scene.filled(obj), live, obj["kind"], part=True))
            assert live["metadata"].get("ownerReferences") is None
            assert live["metadata"].get("deletionTimestamp") is None
