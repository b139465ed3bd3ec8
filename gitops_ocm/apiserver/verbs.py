"""The verbs of the embedded API: get, list, watch, create, update, patch, delete.

`Api` is synchronous and belongs to one event loop: each call sees and leaves a consistent store.
It puts the stages in order; the stages themselves are `objects.intake` (decode, default,
validate), `objects.lifecycle` (metadata), `objects.ownership` (managed fields), `reading` (LIST and WATCH),
`patching`, and `upkeep` (what follows from a write: namespaces emptied, dependents collected).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any, Unpack

from gitops_ocm.apiserver import reading
from gitops_ocm.apiserver.built_in_admission import BuiltInAdmission
from gitops_ocm.apiserver.changes import DEFAULT_MANAGER
from gitops_ocm.apiserver.changes import tracked as tracked_change
from gitops_ocm.apiserver.completion import Completion
from gitops_ocm.apiserver.deciding import Deciding, rewritten
from gitops_ocm.apiserver.fragments import check_match, checked_fragment, part_for
from gitops_ocm.apiserver.hooks.admission import Hooks
from gitops_ocm.apiserver.hooks.consultation import Consultation
from gitops_ocm.apiserver.keeping import Keeping
from gitops_ocm.apiserver.namespaces import check_deletable
from gitops_ocm.apiserver.naming import new_suffix, new_uid
from gitops_ocm.apiserver.patching import check_type, patched, said_of_patch
from gitops_ocm.apiserver.reads import Reads
from gitops_ocm.apiserver.registry import CRD_RESOURCE, Registry, key_for
from gitops_ocm.apiserver.standing import MANAGER
from gitops_ocm.apiserver.store import HISTORY, Storage, Store
from gitops_ocm.apiserver.store_memory import MemoryStorage
from gitops_ocm.apiserver.stored import stamped
from gitops_ocm.apiserver.upkeep import Upkeep
from gitops_ocm.apiserver.values import Answer as Answer
from gitops_ocm.apiserver.values import ListOptions
from gitops_ocm.apiserver.values import Page as Page
from gitops_ocm.apiserver.values import WriteOptions as WriteOptions
from gitops_ocm.decide.admission import Webhooks
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.objects import intake, lifecycle, ownership
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.faults import ApiError, Cause, invalid, not_found, unclassified
from gitops_ocm.objects.ref import Object

DEFAULT_OPTIONS = WriteOptions()
_AT_ONCE = 25
"""Objects of a collection that are deleted before others get their turn."""


class Api(Reads):
    """One API over one store.

    `catalog` names the kinds served from the start; CustomResourceDefinitions add theirs. `history`
    is how many past changes a watch may still ask for. `admission` judges writes once they are valid.
    """

    def __init__(
        self,
        catalog: Catalog,
        storage: Storage | None = None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        new_uid: Callable[[], str] = new_uid,
        new_suffix: Callable[[], str] = new_suffix,
        history: int = HISTORY,
        admission: Webhooks | None = None,
    ) -> None:
        store = Store(storage or MemoryStorage(), history=history, clock=lambda: now().timestamp())
        super().__init__(store, Registry(catalog, store.objects(CRD_RESOURCE).values()))
        self._catalog = catalog
        self._complete = Completion(self.store, now, admission)
        self._now, self._new_uid, self._new_suffix = now, new_uid, new_suffix
        self._upkeep = Upkeep(self.store, self._registry, now, self._own)
        hooks = Hooks(self.store, self._registry)
        self._decide = Deciding(hooks, BuiltInAdmission(self.store), self._upkeep.quotas)
        self._keeping = Keeping(self.store, self._registry, self._upkeep, catalog)
        self._upkeep.start()

    def keep_in_namespaces(self, objects: Iterable[Object]) -> None:
        """Have these objects in every namespace, from now on (`standing`)."""
        with self._keeping.transaction():
            self._upkeep.keep(objects)

    def close(self) -> None:
        """End watches and close the storage."""
        self.store.close()

    def create(
        self, served: Served, namespace: str, obj: Object, options: WriteOptions = DEFAULT_OPTIONS
    ) -> Answer:
        """Store a new object."""
        intake.check_identity(obj, served, namespace)
        obj, warnings = intake.decoded(obj, served, options.field_validation, options.duplicates)
        with intake.telling(warnings):
            if obj["metadata"].get("resourceVersion") and not options.dry_run:
                raise unclassified("resourceVersion should not be set on objects to be created")
            wanted, more = self._decide.creation(served, namespace, obj, options)
            warnings += more
            new = self._new(served, namespace, wanted, options.consultation)
            tracked = ownership.track_creation(
                {**obj, "metadata": {k: v for k, v in obj["metadata"].items() if k in new["metadata"]}},
                new,
                manager=options.field_manager or DEFAULT_MANAGER,
                reset=lifecycle.reset_fields(served.resource),
                schema=served.schema,
                now=self._now(),
            )
            return self._store_new(served, self._complete(served, tracked, None, options), options, warnings)

    def _new(self, served: Served, namespace: str, obj: Object, asked: Consultation | None) -> Object:
        """The object as it will first be stored, but for its managed fields."""
        resource = served.resource
        meta = obj["metadata"]
        self._upkeep.check_lasting(served, str(meta.get("name") or ""))
        if resource.namespaced and namespace and not meta.get("namespace"):
            obj = {**obj, "metadata": {**meta, "namespace": namespace}}
        if resource.namespaced and namespace:
            self._upkeep.namespaces.check_open(namespace, resource, str(meta.get("name") or ""))
        # Whoever asks webhooks tries again with their answers, and makes the same object.
        suffix = ""
        if meta.get("generateName"):
            suffix = asked.suffix if asked else self._new_suffix()
        obj = lifecycle.created(
            obj,
            resource=resource,
            now=self._now(),
            uid=asked.uid if asked else self._new_uid(),
            name_suffix=suffix,
            custom=served.custom,
        )
        obj = intake.prepared(obj, served)
        intake.validate(obj, None, served)
        return obj

    def _store_new(
        self, served: Served, obj: Object, options: WriteOptions, warnings: tuple[str, ...]
    ) -> Answer:
        warnings += self._decide.judged(served, obj, None, options)
        return self._keeping.created(served, obj, options, warnings)

    def update(
        self,
        served: Served,
        namespace: str,
        name: str,
        obj: Object,
        options: WriteOptions = DEFAULT_OPTIONS,
        *,
        subresource: str = "",
    ) -> Answer:
        """Replace an object (or a subresource's part of it)."""
        intake.check_identity(obj, served, namespace)
        obj, warnings = intake.decoded(obj, served, options.field_validation, options.duplicates)
        lifecycle.check_name(obj, name)
        old = self._newest(served, namespace, name, subresource)
        resource = served.resource
        if served.custom and not obj["metadata"].get("resourceVersion"):
            text = "Invalid value: 0: must be specified for an update"
            cause = Cause("FieldValueInvalid", text, "metadata.resourceVersion")
            raise invalid(resource.group, resource.plural, name, (cause,))
        lifecycle.check_version(old, obj["metadata"], resource=resource)
        return self._replace(served, old, obj, options, warnings, subresource=subresource)

    def patch(
        self,
        served: Served,
        namespace: str,
        name: str,
        type: PatchType,
        body: Any,
        options: WriteOptions = DEFAULT_OPTIONS,
        *,
        subresource: str = "",
    ) -> Answer:
        """Change an object by a patch; server-side apply creates it where it is absent."""
        if type is PatchType.APPLY:
            return self._apply(served, namespace, name, body, options, subresource)
        check_type(type, served)
        old = self._newest(served, namespace, name, subresource)
        result = patched(old, type, body, served)
        with said_of_patch(result):
            intake.check_identity(result, served, namespace)
            result, warnings = intake.decoded(result, served, options.field_validation)
        lifecycle.check_name(result, name)
        sent = {"resourceVersion": result["metadata"].get("resourceVersion")}
        lifecycle.check_version(old, sent, resource=served.resource)
        return self._replace(served, old, result, options, warnings, subresource=subresource)

    def change(
        self,
        served: Served,
        namespace: str,
        name: str,
        make: Callable[[Object], Object],
        options: WriteOptions = DEFAULT_OPTIONS,
        *,
        subresource: str = "",
    ) -> Answer:
        """Replace an object by what `make` makes of it, its owners included."""
        old = self._newest(served, namespace, name)
        new = make(old)
        lifecycle.check_version(old, new["metadata"], resource=served.resource)
        return self._replace(served, old, new, options, (), subresource=subresource, tracked=True)

    def overwrite(
        self,
        served: Served,
        namespace: str,
        name: str,
        make: Callable[[Object], Object],
        options: WriteOptions = DEFAULT_OPTIONS,
    ) -> Answer:
        """Make of an object what is the server's to make: nobody judges it, nobody comes to own it."""
        old = self._newest(served, namespace, name)
        return self._keeping.changed(served, old, make(old), options, ())

    def _apply(
        self,
        served: Served,
        namespace: str,
        name: str,
        fragment: Any,
        options: WriteOptions,
        subresource: str,
    ) -> Answer:
        fragment = checked_fragment(fragment, served, namespace, name, options)
        fragment = part_for(fragment, served, subresource)
        live = self.store.get(key_for(served, namespace, name))
        if live is None and subresource:
            raise not_found(served.resource.group, served.resource.plural, name)
        if live is not None:
            live = self._registry.presented(live, served)
        check_match(live, fragment, served, name)
        merged = ownership.apply(
            live,
            fragment,
            manager=options.field_manager,
            force=options.force,
            schema=served.schema,
            now=self._now(),
            subresource=subresource,
            reset=frozenset() if subresource else lifecycle.reset_fields(served.resource),
        )
        if live is not None and merged is live:
            return Answer(live)
        merged, warnings = intake.decoded(merged, served, options.field_validation)
        if live is None:
            wanted, more = self._decide.creation(served, namespace, merged, options)
            created = self._new(served, namespace, wanted, options.consultation)
            return self._store_new(
                served, self._complete(served, created, None, options), options, warnings + more
            )
        return self._replace(served, live, merged, options, warnings, subresource=subresource, tracked=True)

    def _replace(
        self,
        served: Served,
        old: Object,
        new: Object,
        options: WriteOptions,
        warnings: tuple[str, ...],
        *,
        subresource: str,
        tracked: bool = False,
    ) -> Answer:
        resource = served.resource
        sent = new
        wanted, more = self._decide.change(served, old, new, options, subresource)
        new = lifecycle.updated(old, new, resource=resource, subresource=subresource, custom=served.custom)
        new = intake.prepared(new, served, old)
        if wanted is None:
            intake.validate(new, old, served, subresource)
        if not tracked:
            new = tracked_change(served, old, new, sent, options, subresource, self._now())
        if wanted is not None:
            new = rewritten(served, old, new, wanted, subresource)
        completed = self._complete(served, new, old, options, subresource)
        if completed is not new:
            new = lifecycle.recounted(old, completed, resource)
        warnings += more + self._decide.judged(served, new, old, options, subresource)
        return self._keeping.changed(served, old, new, options, warnings)

    def delete(
        self,
        served: Served,
        namespace: str,
        name: str,
        options: Mapping[str, Any] | None = None,
        consultation: Consultation | None = None,
    ) -> Answer:
        """Delete an object, or begin to where finalizers stand in the way. Takes `DeleteOptions`."""
        options = options or {}
        propagation = lifecycle.check_propagation(options)
        old = self._newest(served, namespace, name)
        resource = served.resource
        wanted = options.get("preconditions") or {}
        lifecycle.check_preconditions(
            old,
            resource=resource,
            uid=wanted.get("uid") or "",
            resource_version=wanted.get("resourceVersion") or "",
        )
        check_deletable(resource, name)
        dry_run = bool(options.get("dryRun"))
        warnings = self._decide.deletion(served, old, options, consultation)
        key = key_for(served, namespace, name)
        deletion = self._upkeep.deletion(key, old, propagation)
        if deletion.fate is lifecycle.Fate.REMOVED:
            if not dry_run:
                # What is gone is shown as of the version at which it goes.
                last = stamped(deletion.obj, self.store.newest + 1)
                with self._keeping.transaction():
                    self._keeping.remove(key)
                return Answer(last, warnings, removed=True)
            return Answer(deletion.obj, warnings, removed=True)
        if deletion.fate is lifecycle.Fate.UNCHANGED or dry_run:
            return Answer(deletion.obj, warnings)
        stored = self._keeping.put(key, old, deletion.obj, served)
        return Answer(self._registry.presented(stored, served), warnings)

    def deleting(
        self,
        served: Served,
        namespace: str,
        options: Mapping[str, Any] | None = None,
        *,
        consultation: Consultation | None = None,
        **selection: Unpack[ListOptions],
    ) -> reading.Steps:
        """Delete all objects selected, some at a time; the page shows them as they were."""
        page = yield from self.listing(served, namespace, **selection)
        if consultation is not None:
            # All are judged before the first is gone: asking a webhook begins this anew.
            judge = partial(self._decide.deletion, served, options=options or {}, consultation=consultation)
            told: dict[str, None] = {}
            for obj in page.items:
                told |= dict.fromkeys((yield partial(judge, obj, named=False)))
            page = replace(page, warnings=tuple(told))
        for at in range(0, len(page.items), _AT_ONCE):
            yield None
            with self._keeping.transaction():
                for obj in page.items[at : at + _AT_ONCE]:
                    with _passing_over_missing():
                        meta = obj["metadata"]
                        self.delete(served, meta.get("namespace") or "", meta["name"], options)
        return page

    def delete_collection(
        self,
        served: Served,
        namespace: str,
        options: Mapping[str, Any] | None = None,
        **selection: Unpack[ListOptions],
    ) -> Page:
        """`deleting`, at once."""
        return reading.page(self.deleting(served, namespace, options, **selection))

    def lost(self) -> None:
        """Writes could not be kept: learn anew what they had changed beside the store."""
        self._keeping.lost()

    def _own(self, obj: Object, namespace: str) -> None:
        served = self.catalog.served(obj["apiVersion"], obj["kind"])
        if served is not None:
            self.create(served, namespace, obj, WriteOptions(field_manager=MANAGER))


@contextmanager
def _passing_over_missing() -> Iterator[None]:
    try:
        yield
    except ApiError as error:
        if error.reason != "NotFound":
            raise
