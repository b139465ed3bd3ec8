"""The manifests of a work as the agent sees them: which object each means, and which writes it needs.

One manifest at a time; the pass over all of them, and what is reported, is `decide.agent.apply`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.decide.agent.drift import as_wished, metadata_as_wished
from gitops_ocm.decide.agent.identity import identity_of, owner_reference
from gitops_ocm.decide.agent.ignored import check, with_live_values
from gitops_ocm.decide.agent.merge import (
    EXACT,
    as_chosen,
    content,
    is_whole,
    merged,
    must_recreate,
    owners_with,
    secret_data,
)
from gitops_ocm.decide.agent.options import (
    CREATE_ONLY,
    READ_ONLY,
    SERVER_SIDE,
    UPDATE,
    Options,
    options_for,
    orphans,
)
from gitops_ocm.decide.contract import Apply, Create, Delete, MergePatch, Side, Update, View, Write
from gitops_ocm.decide.kinds import APPLIED_WORK
from gitops_ocm.decide.writes import is_deleting, uid_of
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Kind, Object, Ref, Resource, kind_of, split_api_version

_CONTENTLESS = frozenset({"apiVersion", "kind", "metadata", "status"})


@dataclass(frozen=True)
class Item:
    """One manifest: what it is reported as (empty fields too, as OCM's agent), the object it means, how
    it is to be treated.

    `fault` says why it cannot be applied at all; then there is no `ref` to look at.
    """

    manifest: Object
    meta: Mapping[str, Any]
    resource: Resource | None = None
    ref: Ref | None = None
    options: Options = field(default_factory=Options)
    orphan: bool = False
    fault: str = ""

    @property
    def blind(self) -> bool:
        """Whether it can be dealt with unseen, by who may not read the object."""
        strategy = self.options.strategy
        return strategy == READ_ONLY or (strategy == SERVER_SIDE and not self.options.ignore_fields)


def look(view: View, ref: Ref) -> tuple[Object | None, str]:
    """The object on the cluster, and why it may not be looked at.

    An agent has few rights by default, and a work may hold anything: one object must not hold up the others.
    """
    try:
        return view.get(ref, Side.SPOKE), ""
    except ApiError as error:
        return None, error.message


def items_of(view: View, work: Mapping[str, Any]) -> list[Item]:
    """The manifests of a work in their order."""
    manifests = ((work.get("spec") or {}).get("workload") or {}).get("manifests") or []
    return [_item(view, work, ordinal, manifest) for ordinal, manifest in enumerate(manifests)]


def _item(view: View, work: Mapping[str, Any], ordinal: int, manifest: Any) -> Item:
    if not isinstance(manifest, Mapping) or not manifest.get("kind") or not manifest.get("apiVersion"):
        return Item({}, {"ordinal": ordinal}, fault="the manifest has no apiVersion or no kind")
    meta = manifest.get("metadata") or {}
    api_version, kind = manifest["apiVersion"], manifest["kind"]
    group, version = split_api_version(api_version)
    resource = view.resource(api_version, kind, Side.SPOKE)
    namespace = "" if resource is not None and not resource.namespaced else meta.get("namespace") or ""
    name = meta.get("name") or ""
    told = {
        "ordinal": ordinal,
        "group": group,
        "version": version,
        "kind": kind,
        "resource": resource.plural if resource is not None else "",
        "name": name,
        "namespace": namespace,
    }
    clean = _clean(manifest, namespace)
    if resource is None:
        fault = f'the server doesn\'t have a resource type "{kind}"'
        return Item(clean, told, fault=fault)
    if resource.namespaced and not namespace:
        return Item(clean, told, resource, fault="an empty namespace may not be set during creation")
    identity = identity_of(told)
    return Item(
        clean,
        told,
        resource,
        Ref(group, kind, namespace, name),
        options_for(work, identity),
        orphans(work, identity),
    )


def _clean(manifest: Mapping[str, Any], namespace: str) -> Object:
    """The manifest without what only a server can say; null creation times are left over from Go."""
    result: Object = {k: _without_null_creation(v) for k, v in manifest.items()}
    meta = {k: v for k, v in (result.get("metadata") or {}).items() if k not in ("uid", "namespace")}
    result["metadata"] = {**meta, "namespace": namespace} if namespace else meta
    return result


def _without_null_creation(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            k: _without_null_creation(v)
            for k, v in value.items()
            if not (k == "creationTimestamp" and v is None)
        }
    return [_without_null_creation(v) for v in value] if isinstance(value, list) else value


def writes_for(item: Item, live: Object | None, anchor: Object, *, applied: bool) -> tuple[Write, ...]:
    """What is to be written for one manifest, by its update strategy; may raise a `GitopsError`.

    `applied`: this generation of the work has been applied before, so only drift is to be corrected.
    A new generation is compared exactly, for only so what it dropped goes.
    """
    strategy = item.options.strategy
    owner = None if item.orphan else owner_reference(anchor)
    if strategy == READ_ONLY or (live is not None and is_deleting(live)):
        return ()
    if live is not None and applied and _yields(live, anchor):
        return _owners_fixed(item, live, owner, anchor)
    if strategy == SERVER_SIDE:
        return _server_side(item, live, owner, anchor, applied=applied)
    if live is None:
        if strategy == UPDATE:
            _folded(item.manifest)  # refuses a Secret that says two things of one key
        return (Create(_owned(item.manifest, owner), Side.SPOKE),)
    if strategy == CREATE_ONLY:
        return _owners_fixed(item, live, owner, anchor)
    return _updated(item, live, owner, anchor, applied=applied)


def _yields(live: Object, anchor: Object) -> bool:
    """Whether another work owns the object before this one does.

    Works that declare the same object would undo each other for ever, each woken by the other's write.
    So a new generation of either is applied once, and only the first owner corrects drift after that.
    """
    owners = live["metadata"].get("ownerReferences") or ()
    works = [o.get("uid") for o in owners if o.get("kind") == APPLIED_WORK.kind]
    return bool(works) and works[0] != uid_of(anchor)


def _owned(manifest: Object, owner: Object | None) -> Object:
    if owner is None:
        return manifest
    meta = manifest["metadata"]
    held = [o for o in meta.get("ownerReferences") or () if o.get("uid") != owner["uid"]]
    return {**manifest, "metadata": {**meta, "ownerReferences": [*held, owner]}}


def _is_owned_right(live: Object, owner: Object | None, anchor: Object) -> bool:
    held = live["metadata"].get("ownerReferences") or ()
    return any(o.get("uid") == uid_of(anchor) for o in held) is (owner is not None)


def _owners_fixed(item: Item, live: Object, owner: Object | None, anchor: Object) -> tuple[MergePatch, ...]:
    if _is_owned_right(live, owner, anchor):
        return ()
    assert item.ref is not None
    owners = owners_with(live, owner, uid_of(anchor))
    body: Object = {"metadata": {"uid": uid_of(live), "ownerReferences": owners or None}}
    _, version = split_api_version(item.manifest["apiVersion"])
    return (MergePatch(item.ref, body, Side.SPOKE, version=version),)


def _server_side(
    item: Item, live: Object | None, owner: Object | None, anchor: Object, *, applied: bool
) -> tuple[Write, ...]:
    """Server-side apply. The owner is part of the fragment, so there is never an object without one."""
    manifest = item.manifest
    if live is None:
        check(manifest, item.options.ignore_fields)
    else:
        manifest = with_live_values(manifest, live, item.options.ignore_fields, applied=applied)
        wished = _folded(manifest)
        as_is = metadata_as_wished(wished, live) and all(
            as_wished(v, live.get(k)) for k, v in wished.items() if k not in _CONTENTLESS
        )
        if applied and as_is:
            return _owners_fixed(item, live, owner, anchor)
        if manifest != item.manifest:
            # What is left to others is sent as it was seen; it must not have moved since.
            version = live["metadata"].get("resourceVersion")
            manifest = {**manifest, "metadata": {**manifest["metadata"], "resourceVersion": version}}
    fragment = Apply(
        _owned(manifest, owner), Side.SPOKE, force=item.options.force, manager=item.options.field_manager
    )
    disowned = _owners_fixed(item, live, owner, anchor) if live is not None and owner is None else ()
    return (fragment, *disowned)


def _folded(manifest: Object) -> Object:
    """A Secret as a server keeps it."""
    if kind_of(manifest) != Kind("", "Secret") or "stringData" not in manifest:
        return manifest
    return {**{k: v for k, v in manifest.items() if k != "stringData"}, "data": secret_data(manifest)}


def _updated(
    item: Item, live: Object, owner: Object | None, anchor: Object, *, applied: bool
) -> tuple[Write, ...]:
    manifest = as_chosen(item.manifest, live)
    if must_recreate(manifest, live):
        assert item.ref is not None
        _, version = split_api_version(manifest["apiVersion"])
        gone = Delete(item.ref, Side.SPOKE, uid=uid_of(live), version=version)
        return gone, Create(_owned(manifest, owner), Side.SPOKE)
    due = (
        not _is_owned_right(live, owner, anchor)
        or not metadata_as_wished(manifest, live)
        or _content_differs(manifest, live, applied=applied)
    )
    return (Update(merged(manifest, live, owner, uid_of(anchor)), Side.SPOKE),) if due else ()


def _content_differs(manifest: Object, live: Object, *, applied: bool) -> bool:
    fields = content(manifest, live)
    if applied and kind_of(manifest) not in EXACT:
        return not all(as_wished(value, live.get(name)) for name, value in fields.items())
    if is_whole(manifest):
        fields = {**{k: None for k in live if k not in _CONTENTLESS}, **fields}
    return any((live.get(name) or None) != (value or None) for name, value in fields.items())
