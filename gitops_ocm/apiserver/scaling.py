"""A write to the `scale` subresource: what it makes of the workload, and of who owns the number there.

Whoever scales owns the replicas under the name of the subresource; in between, the owners of a workload's
replicas are those of a Scale's (as kube-apiserver's scale handler has it). How a Scale looks is
`handlers_scale`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

from gitops_ocm.apiserver.changes import DEFAULT_MANAGER
from gitops_ocm.apiserver.fragments import checked_fragment
from gitops_ocm.apiserver.handlers_scale import SCALE, SCALE_KIND, replicas_patch, scale_of, steps_of
from gitops_ocm.apiserver.values import Answer, WriteOptions
from gitops_ocm.apiserver.verbs import Api
from gitops_ocm.objects import fieldset, ownership
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, conflict
from gitops_ocm.objects.fieldset import MEMBER, FieldSet
from gitops_ocm.objects.object_meta import OBJECT_FIELDS
from gitops_ocm.objects.ownership import APPLY, Manager
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.schema import Schema

API_VERSION = SCALE_KIND.resource.api_version
_WHOLE = {"type": "integer"}
SCHEMA = Schema(
    {
        "type": "object",
        "properties": {
            **OBJECT_FIELDS,
            "spec": {"type": "object", "properties": {"replicas": _WHOLE}},
            "status": {"type": "object", "properties": {"replicas": _WHOLE, "selector": {"type": "string"}}},
        },
    },
    None,
)
_REPLICAS: FieldSet = {"f:spec": {"f:replicas": MEMBER}}
Paths = Mapping[str, Sequence[str]]
"""Where a workload has its replicas, by its versions; nowhere in a version that cannot be scaled."""


class Scaling:
    """Writes Scales by an `Api`."""

    def __init__(self, api: Api, now: Callable[[], datetime]) -> None:
        self._api = api
        self._now = now

    def changed(
        self, served: Served, namespace: str, name: str, make: Callable[[Object], Any], options: WriteOptions
    ) -> Answer:
        """The workload once its Scale is what `make` makes of it: an update or a patch."""

        def owned(scale: Object) -> Any:
            made = make(scale)
            if not isinstance(made, dict):
                return made
            manager, now = options.field_manager or DEFAULT_MANAGER, self._now()
            return ownership.track(scale, made, manager=manager, schema=SCHEMA, now=now, subresource=SCALE)

        return self._written(served, namespace, name, owned, options)

    def applied(self, served: Served, namespace: str, name: str, body: Any, options: WriteOptions) -> Answer:
        """The workload once a Scale has been applied to it."""
        fragment = checked_fragment(body, SCALE_KIND, namespace, name, options)

        def merged(scale: Object) -> Object:
            made = ownership.apply(
                scale,
                fragment,
                manager=options.field_manager,
                force=options.force,
                schema=SCHEMA,
                now=self._now(),
                subresource=SCALE,
            )
            _check_convertible(fragment, served)
            return made

        return self._written(served, namespace, name, merged, options)

    def _written(
        self, served: Served, namespace: str, name: str, make: Callable[[Object], Any], options: WriteOptions
    ) -> Answer:
        change = partial(_rescaled, served=served, versions=self._api.versions(served), make=make)
        return self._api.change(served, namespace, name, change, options)


def _rescaled(
    obj: Object, served: Served, versions: Iterable[Served], make: Callable[[Object], Any]
) -> Object:
    """The workload as it is once its Scale is what `make` makes of it."""
    paths = {v.resource.api_version: _steps(v) for v in versions}
    scale = ownership.with_managers(scale_of(obj, served, read=False), _of_scale(obj, paths))
    wanted = make(scale)
    patch = replicas_patch(wanted, served)
    uid = (patch.get("metadata") or {}).get("uid")
    if uid and uid != obj["metadata"]["uid"]:
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {obj['metadata']['uid']}"
        resource = served.resource
        raise conflict(resource.group, f"{resource.plural}/{SCALE}", obj["metadata"]["name"], why)
    owners = _of_workload(obj, wanted, paths, served.resource.api_version)
    return ownership.with_managers(merge_patch(obj, patch), owners)


def _check_convertible(fragment: Object, served: Served) -> None:
    """Raise where a Scale is applied to a custom object: servers cannot, once nobody minds."""
    if served.custom:
        meta = fragment.get("metadata") or {}
        named = f"{meta.get('namespace') or ''}/{meta.get('name') or ''}; {API_VERSION}, Kind=Scale"
        why = f"request to convert CR to an invalid group/version: {API_VERSION}"
        text = f"failed to convert new object ({named}) to proper version: {why}"
        raise ApiError("InternalError", text, bare=True)


def _steps(served: Served) -> Sequence[str]:
    if not served.custom:
        return ("spec", "replicas")
    return steps_of(served.scale["specReplicasPath"]) if served.scale else ()


def _set(steps: Sequence[str]) -> FieldSet:
    """The field set of one field."""
    found: Any = MEMBER
    for step in reversed(steps):
        found = {f"f:{step}": found}
    result: FieldSet = found
    return result


def _owns(held: Manager, paths: Paths) -> bool:
    steps = paths.get(held.api_version)
    return bool(steps) and fieldset.contains(held.fields, _set(steps or ()))


def _of_scale(obj: Object, paths: Paths) -> list[Manager]:
    """Who owns the replicas, as owners of a Scale."""
    owners = (held for held in ownership.managers_of(obj) if _owns(held, paths))
    return [replace(held, fields=_REPLICAS, api_version=API_VERSION) for held in owners]


def _of_workload(obj: Object, scale: Object, paths: Paths, version: str) -> list[Manager]:
    """The workload's owners once the replicas are owned by those who own them in the Scale."""
    scaling = {held.key: held for held in ownership.managers_of(scale)}
    kept: list[Manager] = []
    for held in ownership.managers_of(obj):
        if held.api_version not in paths:
            continue
        if not _owns(held, paths) or (held.operation == APPLY and scaling.pop(held.key, None) is not None):
            kept.append(held)
        else:
            rest = fieldset.difference(held.fields, _set(paths[held.api_version]))
            kept += [replace(held, fields=rest)] if rest else []
    mine = _set(paths[version])
    for held in scaling.values():
        if fieldset.contains(held.fields, _REPLICAS):
            kept.append(replace(held, fields=mine, api_version=version, time=""))
    return kept
