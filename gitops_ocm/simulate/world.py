"""One API server in memory: objects that obey the rules of `objects`, and nothing that answers slowly.

It takes the same writes as a real one and refuses what that refuses, with the same errors. Versions and
uids are counted, so the same history always makes the same world. What depends on what was deleted goes by
`simulate.garbage`. It watches nothing: `changes` are taken by whoever runs it. The server that people can
reach is `apiserver`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import assert_never

from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.decide.contract import (
    LOCAL_GROUP,
    Apply,
    Create,
    Delete,
    Emit,
    Index,
    MergePatch,
    Result,
    Update,
    Write,
)
from gitops_ocm.decide.projection import P, Projection
from gitops_ocm.objects import intake, lifecycle, native, ownership
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.conditions import timestamp
from gitops_ocm.objects.faults import ApiError, already_exists, forbidden, not_found
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, kind_of, ref_of
from gitops_ocm.objects.service_addresses import SERVICE, addressed
from gitops_ocm.objects.service_ports import ported
from gitops_ocm.simulate import garbage
from gitops_ocm.simulate.ledger import Change, Ledger, Mark

NAMESPACE = Kind("", "Namespace")
WEBHOOKS = Webhooks()
CRD = Kind("apiextensions.k8s.io", "CustomResourceDefinition")
REVIEW = Kind("authorization.k8s.io", "SubjectAccessReview")


class World:
    """The objects of one API server; `name` tells worlds apart in uids.

    `admission` judges writes as on a hub: OCM's webhooks, unless there are to be none.
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        name: str = "hub",
        namespaces: Iterable[str] = (),
        admission: Webhooks | None = WEBHOOKS,
    ) -> None:
        self.catalog = catalog
        self.name = name
        self._admission = admission
        self.events: list[Emit] = []
        self._store = Ledger()
        self._ending = False
        self._versions = 0
        self._uids = 0
        for namespace in namespaces:
            self.put({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})

    # Reading

    def get(self, ref: Ref) -> Object | None:
        """One object."""
        return self._store.get(ref)

    def list(
        self, kind: Kind, namespace: str | None = None, labels: Mapping[str, str] | None = None
    ) -> Sequence[Object]:
        """Objects of a kind by (namespace, name)."""
        return self._store.list(kind, namespace, labels)

    def indexed(self, index: Index, value: str) -> Sequence[Object]:
        """What an index files under `value`, sorted."""
        return self._store.indexed(index, value)

    def all(self) -> Sequence[Object]:
        """Every object, sorted by identity."""
        return self._store.all()

    def projected(self, projection: Projection[P]) -> P:
        """What a projection comes to here, kept up to date from the first time it is asked for."""
        return self._store.projected(projection)

    def changes(self) -> Sequence[Change]:
        """What changed since this was last asked, as (old, new)."""
        return self._store.news()

    def objects(self) -> Mapping[Ref, Object]:
        """All objects as they are now, in no order; later changes do not show in it."""
        return self._store.objects()

    def mark(self) -> Mark:
        """This moment, to come back to; earlier ones are forgotten where a later one is gone back behind."""
        changes, events = self._store.mark(), len(self.events)
        return Mark(changes, events, self.catalog, self._versions, self._uids, self._ending)

    def since(self, mark: Mark) -> Sequence[Change]:
        """What changed since a moment, as (old, new)."""
        return self._store.since(mark.changes)

    def rewind(self, mark: Mark) -> None:
        """Be again as at that moment; what was changed since then never was."""
        self._store.rewind(mark.changes)
        del self.events[mark.events :]
        self.catalog, self._ending = mark.catalog, mark.ending
        self._versions, self._uids = mark.versions, mark.uids

    # Writing

    def put(self, obj: Object) -> Object:
        """Show an object as it is, no questions asked: a starting state, or local facts."""
        kind = kind_of(obj)
        meta = dict(obj["metadata"])
        if kind.group != LOCAL_GROUP:
            meta.setdefault("uid", self._next_uid())
            if "generation" not in meta and lifecycle.has_generation(
                self._served(obj).resource, custom=self._served(obj).custom
            ):
                meta["generation"] = 1
        old = self._store.get(ref_of(obj))
        if old is not None and "resourceVersion" in old["metadata"]:
            meta.setdefault("resourceVersion", old["metadata"]["resourceVersion"])
        return self.store(old, native.prepared({**obj, "metadata": meta}, kind))

    def begin(self, objects: Iterable[tuple[Ref, Object]]) -> None:
        """Show many objects that are not there yet, as `put` does one; of kinds with nothing of their own."""
        known: dict[Kind, tuple[bool, bool]] = {}
        for ref, obj in objects:
            of = ref.of
            if of not in known:
                served, fresh = self._served(obj), not self._store.is_looked_up(of)
                known[of] = lifecycle.has_generation(served.resource, custom=served.custom), fresh
            counted, fresh = known[of]
            self._versions += 1
            meta = {"uid": self._next_uid(), "resourceVersion": str(self._versions), **obj["metadata"]}
            if counted:
                meta.setdefault("generation", 1)
            made = native.prepared({**obj, "metadata": meta}, of)
            plain = fresh and not ("deletionTimestamp" in meta or "ownerReferences" in meta)
            self._ending |= not plain
            (self._store.add if plain else self._store.put)(ref, made)

    def write(self, write: Write, *, manager: str, now: datetime) -> Result:
        """Carry out one write, as the API would."""
        try:
            obj = self._write(write, manager, now)
        except ApiError as error:
            return Result(write, error=error)
        if self._ending:
            self._ending = False
            garbage.collect(self, now)
        return Result(write, obj)

    def _write(self, write: Write, manager: str, now: datetime) -> Object | None:
        match write:
            case Create():
                return write.obj if write.rehearsed_by else self._create(write.obj, manager, now)
            case Apply():
                return self._apply(write, write.manager or manager, now)
            case Update():
                served = self._served(write.obj)
                old = self._existing(ref_of(write.obj), served.resource)
                return self._replace(served, old, write.obj, write.subresource, manager, now)
            case MergePatch():
                served = self._served_kind(write.ref.of, write.version)
                old = self._existing(write.ref, served.resource)
                new = merge_patch(old, write.body)
                new["apiVersion"] = old["apiVersion"]
                return self._replace(served, old, new, write.subresource, manager, now)
            case Delete():
                return self._delete(write, now)
            case Emit():
                self.events.append(write)
                return None
        assert_never(write)

    def _create(self, obj: Object, manager: str, now: datetime) -> Object:
        served = self._served(obj)
        if served.resource.of == REVIEW:
            return {**obj, "status": {"allowed": False, "reason": "no roles are evaluated here"}}
        self._check_namespace(obj, served.resource)
        made = self._new(served, obj, now)
        ref = ref_of(made)
        if self._store.get(ref) is not None:
            raise already_exists(served.resource.group, served.resource.plural, ref.name)
        tracked = ownership.track_creation(
            intake.decoded(obj, served)[0],
            made,
            manager=manager,
            reset=lifecycle.reset_fields(served.resource),
            schema=served.schema,
            now=now,
        )
        return self.store(None, self._completed(tracked, None, now))

    def _apply(self, write: Apply, manager: str, now: datetime) -> Object:
        served = self._served(write.obj)
        ref = ref_of(write.obj)
        live = self._store.get(ref)
        if live is None and write.subresource:
            raise not_found(served.resource.group, served.resource.plural, ref.name)
        merged = ownership.apply(
            live,
            write.obj,
            manager=manager,
            force=write.force,
            schema=served.schema,
            now=now,
            subresource=write.subresource,
        )
        if live is not None:
            return self._settle(served, live, merged, write.subresource, now)
        self._check_namespace(write.obj, served.resource)
        made = self._new(served, merged, now)
        return self.store(None, self._completed(made, None, now))

    def _replace(
        self, served: Served, old: Object, new: Object, subresource: str, manager: str, now: datetime
    ) -> Object:
        """PUT or PATCH: the version is checked, then what changed is put down to the manager."""
        lifecycle.check_version(old, new.get("metadata") or {}, resource=served.resource)
        tracked = ownership.track(
            old, new, manager=manager, schema=served.schema, now=now, subresource=subresource
        )
        return self._settle(served, old, tracked, subresource, now)

    def _settle(self, served: Served, old: Object, new: Object, subresource: str, now: datetime) -> Object:
        if subresource and subresource not in served.resource.subresources:
            raise not_found(served.resource.group, served.resource.plural, old["metadata"]["name"])
        ready = lifecycle.updated(
            old,
            intake.decoded(new, served)[0],
            resource=served.resource,
            subresource=subresource,
            custom=served.custom,
        )
        ready = intake.prepared(ready, served, old)
        intake.validate(ready, old, served)
        completed = self._completed(ready, old, now, subresource)
        if completed is not ready:
            ready = lifecycle.recounted(old, completed, served.resource)
        if lifecycle.finished(ready):
            return self.remove(ready)
        return self.store(old, ready)

    def _delete(self, write: Delete, now: datetime) -> Object | None:
        old = self._store.get(write.ref)
        if old is None:
            return None
        served = self._served(old)
        lifecycle.check_preconditions(
            old, resource=served.resource, uid=write.uid, resource_version=write.resource_version
        )
        return self.end(old, write.propagation.value, now)

    def end(self, old: Object, propagation: str, now: datetime) -> Object:
        """Delete an object, or mark it as deleted where something holds it."""
        if kind_of(old) == NAMESPACE:
            return self._end_namespace(old, now)
        deletion = lifecycle.deleted(old, now=now, propagation=propagation)
        match deletion.fate:
            case lifecycle.Fate.REMOVED:
                return self.remove(old)
            case lifecycle.Fate.MARKED:
                return self.store(old, deletion.obj)
            case lifecycle.Fate.UNCHANGED:
                return old
        assert_never(deletion.fate)

    def _end_namespace(self, old: Object, now: datetime) -> Object:
        """A namespace is held by its content, whatever finalizers it has."""
        if old["metadata"].get("deletionTimestamp"):
            return old
        meta = {**old["metadata"], "deletionTimestamp": timestamp(now)}
        return self.store(old, native.prepared({**old, "metadata": meta}, NAMESPACE))

    # Rules

    def _served(self, obj: Object) -> Served:
        served = self.catalog.served(obj.get("apiVersion", ""), obj.get("kind", ""))
        if served is None:
            raise _no_kind(kind_of(obj))
        return served

    def _served_kind(self, kind: Kind, version: str) -> Served:
        for served in self.catalog.entries():
            if served.resource.of == kind and version in ("", served.resource.version):
                return served
        raise _no_kind(kind)

    def _existing(self, ref: Ref, resource: Resource) -> Object:
        old = self._store.get(ref)
        if old is None:
            raise not_found(resource.group, resource.plural, ref.name)
        return old

    def _check_namespace(self, obj: Object, resource: Resource) -> None:
        if not resource.namespaced:
            return
        name = obj["metadata"].get("namespace") or ""
        home = self._namespace(name)
        if home is None:
            raise not_found("", "namespaces", name)
        if home["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {name} because it is being terminated"
            raise forbidden(resource.group, resource.plural, obj["metadata"].get("name", ""), why)

    def _new(self, served: Served, obj: Object, now: datetime) -> Object:
        """The object as it is first stored."""
        made = lifecycle.created(
            intake.decoded(obj, served)[0],
            resource=served.resource,
            now=now,
            uid=self._next_uid(),
            name_suffix=f"{self._uids:05d}"[-5:],
            custom=served.custom,
        )
        made = intake.prepared(made, served)
        intake.validate(made, None, served)
        return made

    def _completed(self, obj: Object, old: Object | None, now: datetime, subresource: str = "") -> Object:
        """The valid object with what is allotted to it, and as admission lets it in.

        Whoever writes here may do anything.
        """
        if kind_of(obj) == SERVICE and not subresource:
            others = partial(self.list, SERVICE)
            return ported(addressed(obj, old, others), old, others)
        if self._admission is None or not self._admission.judges(kind_of(obj), subresource):
            return obj
        return self._admission.admit(obj, old, now, namespace=self._namespace)

    def _namespace(self, name: str) -> Object | None:
        return self._store.get(Ref(*NAMESPACE, "", name))

    # Storing

    def _next_uid(self) -> str:
        self._uids += 1
        return f"{self.name}-{self._uids}"

    def store(self, old: Object | None, new: Object) -> Object:
        """Keep `new` under a new version, unless nothing has changed."""
        if old is not None and lifecycle.unchanged(old, new):
            return old
        meta = dict(new["metadata"])
        if new.get("apiVersion", "").partition("/")[0] != LOCAL_GROUP:
            self._versions += 1
            meta["resourceVersion"] = str(self._versions)
        stored = {**new, "metadata": meta}
        ref = ref_of(stored)
        self._ending |= bool(meta.get("deletionTimestamp")) or not self._store.owners_alive(stored)
        self._store.put(ref, stored)
        if ref.of == CRD:
            self.catalog = self.catalog.with_crd(stored)
        return stored

    def remove(self, old: Object) -> Object:
        """Forget an object."""
        self._ending = True
        ref = ref_of(old)
        self._store.remove(ref)
        if ref.of == CRD:
            self.catalog = self.catalog.without_crd(old)
        return old

    def dependents(self, uid: str) -> Sequence[Object]:
        """The objects that name `uid` as an owner, sorted."""
        return self._store.dependents(uid)

    def owners_alive(self, obj: Object) -> bool:
        """Whether any owner of an object exists; so too where it has none."""
        return self._store.owners_alive(obj)

    def inside(self, namespace: str) -> Sequence[Object]:
        """All that is in a namespace, sorted by identity."""
        return self._store.inside(namespace)

    def ending(self) -> Iterable[Object]:
        """What is to go, or waits for others to, sorted."""
        return self._store.ending()


def _no_kind(kind: Kind) -> ApiError:
    return ApiError(
        "NotFound", "the server could not find the requested resource", details={"kind": str(kind)}
    )
