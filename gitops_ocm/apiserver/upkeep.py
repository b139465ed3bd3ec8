"""What follows from a write: the work of the controllers every Kubernetes has.

Namespaces are emptied, dependents collected, definitions served and unserved, in the transaction of
the write that set them off; so a client sees the same events in the same order as on a real server,
only sooner. On start everything is looked at once, for what a crash left undone.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime

from gitops_ocm.apiserver.gc import Collector, Dependents, owner_uids
from gitops_ocm.apiserver.namespaces import INITIAL, Namespaces, is_done, namespace_key
from gitops_ocm.apiserver.protection import outlived, released
from gitops_ocm.apiserver.quotas import Quotas
from gitops_ocm.apiserver.registry import CRD_RESOURCE, NAMESPACE_RESOURCE, Registry
from gitops_ocm.apiserver.standing import Standing
from gitops_ocm.apiserver.store import Store
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.objects import crd_rules, lifecycle, ownership
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.conditions import is_true
from gitops_ocm.objects.faults import forbidden
from gitops_ocm.objects.lifecycle import FOREGROUND_FINALIZER, ORPHAN_FINALIZER, Deletion, Fate
from gitops_ocm.objects.native import prepared
from gitops_ocm.objects.ref import Kind, Object

_JOBS = ("batch", "jobs")


class Upkeep:
    """Keeps the consequences of writes; every method runs inside the write's transaction.

    `create` stores an object in a namespace by the front door.
    """

    def __init__(
        self,
        store: Store,
        registry: Registry,
        now: Callable[[], datetime],
        create: Callable[[Object, str], object],
    ) -> None:
        self._store = store
        self._registry = registry
        self._now = now
        self.namespaces = Namespaces(store, registry, now)
        self._dependents = Dependents()
        self._collector = Collector(store, registry)
        self._queue: deque[Key] = deque()
        self._running = False
        self._standing = Standing(store, registry)
        self._create = create
        self.quotas = Quotas(store, registry, now)

    def start(self) -> None:
        """Index what was loaded, make the first namespaces, finish what a crash interrupted."""
        self.reindex()
        for key, obj in self._store.mentioning(b'"deletionTimestamp":', b'"ownerReferences":'):
            meta = obj["metadata"]
            if meta.get("deletionTimestamp") or meta.get("ownerReferences"):
                self._queue.append(key)
        with self._store.batch():
            for name in INITIAL:
                if self._store.get(namespace_key(name)) is None:
                    self._create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}, "")
            self._run()

    def keep(self, objects: Iterable[Object]) -> None:
        """Have these objects in every namespace there is and will be."""
        self._standing.keep(objects)
        with self._store.batch():
            for home in list(self._store.objects(NAMESPACE_RESOURCE)):
                self._furnish(home.name)

    def reindex(self) -> None:
        """Learn anew who depends on whom."""
        self._dependents = Dependents()
        for key, obj in self._store.mentioning(b'"ownerReferences":'):
            self._dependents.changed(key, None, obj)

    def after_write(self, key: Key, old: Object | None, new: Object) -> None:
        """Take in a creation or change."""
        self._dependents.changed(key, old, new)
        if key.resource == CRD_RESOURCE:
            self._define(key, new)
            self._queue.append(key)
        elif new["metadata"].get("deletionTimestamp") or owner_uids(new) != owner_uids(old):
            self._queue.append(key)
        self._count(key, old, new)
        self._run()
        self._furnish(self._standing.home_of(key))

    def _count(self, key: Key, old: Object | None, new: Object | None) -> None:
        """Keep quotas right; a quota itself is counted, and counts."""
        for at, quota in list(self.quotas.after(key, old, new)):
            before = self._store.get(at)
            self._dependents.changed(at, before, self._store.write(at, quota))

    def after_removal(self, key: Key, last: Object) -> None:
        """Take in a removal."""
        self._dependents.changed(key, last, None)
        if key.resource == CRD_RESOURCE:
            self._registry.forget(last)
            for waiting, crd in list(self._store.objects(CRD_RESOURCE).items()):
                if crd["spec"]["group"] == last["spec"]["group"] and not is_true(crd, "NamesAccepted"):
                    self._define(waiting, crd)
        self._queue.extend(self._dependents.of(last["metadata"].get("uid", "")))
        for ref in last["metadata"].get("ownerReferences") or ():
            owner = self._registry.key_of(ref["apiVersion"], ref["kind"], key.namespace, ref["name"])
            if owner is not None:
                self._queue.append(owner)
        self._queue.extend(released(self._store, key))
        self._requeue_container(key)
        self._count(key, last, None)
        self._run()
        self._furnish(self._standing.home_of(key))

    def _furnish(self, namespace: str) -> None:
        if namespace:
            for obj in self._standing.missing(namespace):
                self._create(obj, namespace)
            for key, obj in self._standing.altered(namespace):
                self._write(key, obj)

    def _requeue_container(self, key: Key) -> None:
        """The namespace it was in, or the definition of its kind, may now be able to go."""
        if key.namespace:
            home = namespace_key(key.namespace)
            if (self._store.get(home) or {}).get("metadata", {}).get("deletionTimestamp"):
                self._queue.append(home)
        definition = Key(*CRD_RESOURCE, "", f"{key.plural}.{key.group}")
        if (self._store.get(definition) or {}).get("metadata", {}).get("deletionTimestamp"):
            self._queue.append(definition)

    def deletion(self, key: Key, old: Object, propagation: str) -> Deletion:
        """What deleting an object comes to, by its kind's own rules."""
        if key.resource == _JOBS and not propagation:
            propagation = "Orphan"
        if key.resource == CRD_RESOURCE and not old["metadata"].get("deletionTimestamp"):
            return Deletion(Fate.MARKED, crd_rules.terminating(old, self._now()))
        if key.resource != NAMESPACE_RESOURCE:
            return lifecycle.deleted(old, now=self._now(), propagation=propagation)
        if old["metadata"].get("deletionTimestamp"):
            return Deletion(Fate.UNCHANGED, old)
        marked = lifecycle.marked(old, self._now(), grace_seconds=None)
        return Deletion(Fate.MARKED, prepared(marked, Kind("", "Namespace")))

    def _run(self) -> None:
        if self._running:
            return
        self._running = True
        try:
            while self._queue:
                self._look_at(self._queue.popleft())
        finally:
            self._running = False
            self._queue.clear()

    def _look_at(self, key: Key) -> None:
        obj = self._store.get(key)
        if obj is None:
            return
        if obj["metadata"].get("deletionTimestamp"):
            if lifecycle.finished(obj):
                self._remove(key)
            elif finalizer := outlived(self._store, key, obj):
                self._drop_finalizer(key, finalizer)
            elif key.resource == NAMESPACE_RESOURCE:
                self._empty_namespace(key, obj)
            elif key.resource == CRD_RESOURCE:
                self._empty_definition(key, obj)
            else:
                self._propagate(key, obj)
        obj = self._store.get(key)
        if obj is not None and obj["metadata"].get("ownerReferences"):
            self._collect(key, obj)

    def _collect(self, key: Key, obj: Object) -> None:
        verdict, references = self._collector.verdict(key, obj)
        if verdict == "release":
            self._write(key, _with_owners(obj, references))
        elif verdict.startswith("delete") and not obj["metadata"].get("deletionTimestamp"):
            below = self._dependents.of(obj["metadata"]["uid"])
            foreground = verdict == "delete-foreground" and below
            self._delete(key, obj, "Foreground" if foreground else "Background")

    def _propagate(self, key: Key, obj: Object) -> None:
        """Carry out the finalizers that are the garbage collector's own."""
        finalizers = obj["metadata"].get("finalizers") or []
        uid = obj["metadata"]["uid"]
        if ORPHAN_FINALIZER in finalizers:
            for dependent in self._dependents.of(uid):
                self._disown(dependent, uid)
            self._drop_finalizer(key, ORPHAN_FINALIZER)
        elif FOREGROUND_FINALIZER in finalizers:
            for dependent in self._dependents.of(uid):
                found = self._store.get(dependent)
                if found is not None:
                    self._collect(dependent, found)
            if not any(self._collector.blocking(uid, self._dependents.of(uid))):
                self._drop_finalizer(key, FOREGROUND_FINALIZER)

    def _disown(self, key: Key, uid: str) -> None:
        obj = self._store.get(key)
        if obj is not None:
            kept = [ref for ref in obj["metadata"].get("ownerReferences") or () if ref["uid"] != uid]
            self._write(key, _with_owners(obj, kept))

    def _drop_finalizer(self, key: Key, finalizer: str) -> None:
        obj = self._store.get(key)
        if obj is None:
            return
        changed = lifecycle.without_finalizer(obj, finalizer)
        if lifecycle.finished(changed):
            self._remove(key)
        else:
            self._write(key, changed)

    def _empty_namespace(self, key: Key, obj: Object) -> None:
        for inside in self.namespaces.contents(key.name):
            found = self._store.get(inside)
            if found is not None and not found["metadata"].get("deletionTimestamp"):
                self._delete(inside, found, "Background")
        changed = self.namespaces.step(obj)
        if changed is None:
            return
        if is_done(changed):
            self._remove(key)
        else:
            self._write(key, changed)

    def _empty_definition(self, key: Key, crd: Object) -> None:
        resource = (crd["spec"]["group"], crd["spec"]["names"]["plural"])
        for inside, obj in list(self._store.objects(resource).items()):
            if not obj["metadata"].get("deletionTimestamp"):
                self._delete(inside, obj, "Background")
        if not self._store.objects(resource):
            self._drop_finalizer(key, crd_rules.CLEANUP_FINALIZER)

    def _define(self, key: Key, crd: Object) -> None:
        now = self._now()
        others = [o for k, o in self._store.objects(CRD_RESOURCE).items() if k != key]
        established = crd_rules.established(crd, now, others)
        self._registry.define(established)
        if established != crd:
            served = self._registry.of(CRD_RESOURCE)
            schema = served.schema if served is not None else None
            told = {name: [] if value is None else value for name, value in (crd.get("status") or {}).items()}
            kept = ownership.track(
                {**crd, "status": told},
                established,
                manager="kube-apiserver",
                schema=schema,
                now=now,
                subresource="status",
            )
            self._store.write(key, kept)

    def check_lasting(self, served: Served, name: str) -> None:
        """Raise Forbidden where the definition of a kind is on its way out: nothing new comes then."""
        resource = served.resource
        definition = Key(*CRD_RESOURCE, "", f"{resource.plural}.{resource.group}")
        crd = self._store.get(definition) if served.custom else None
        if crd is not None and crd["metadata"].get("deletionTimestamp"):
            why = "create not allowed while custom resource definition is terminating"
            raise forbidden(resource.group, resource.plural, name, why)

    def _delete(self, key: Key, obj: Object, propagation: str) -> None:
        deletion = self.deletion(key, obj, propagation)
        if deletion.fate is Fate.REMOVED:
            self._remove(key)
        elif deletion.fate is Fate.MARKED:
            self._write(key, deletion.obj)

    def _write(self, key: Key, obj: Object) -> None:
        old = self._store.get(key)
        self.after_write(key, old, self._store.write(key, obj))

    def _remove(self, key: Key) -> None:
        self.after_removal(key, self._store.write(key, None))


def _with_owners(obj: Object, references: list[Object]) -> Object:
    meta = {k: v for k, v in obj["metadata"].items() if k != "ownerReferences"}
    if references:
        meta["ownerReferences"] = references
    return {**obj, "metadata": meta}
