"""LIST and WATCH: selectors, pages at one version, and what an object's coming and going look like."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import AsyncIterator, Callable
from typing import Any

import orjson

from gitops_ocm.apiserver.registry import Registry, resource_of
from gitops_ocm.apiserver.store import Store, parse_version
from gitops_ocm.apiserver.values import Page
from gitops_ocm.apiserver.watch_history import Change
from gitops_ocm.kube.cluster import WatchEvent
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.selectors import FieldSelector, parse, parse_fields

BOOKMARK_SECONDS = 60.0
"""A quiet watch that allows bookmarks hears how far the store has come this often."""
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

Matches = Callable[[Object], bool]


def selection(served: Served, labels: str, fields: str) -> Matches | None:
    """Whether an object is asked for; None where all are. Raises BadRequest for bad selectors."""
    if not labels and not fields:
        return None
    by_labels, by_fields = parse(labels), parse_fields(fields)
    _check_fields(by_fields, served)

    def matches(obj: Object) -> bool:
        return by_labels.matches(obj["metadata"].get("labels")) and by_fields.matches(obj)

    return matches


def _check_fields(selector: FieldSelector, served: Served) -> None:
    known = ("metadata.name", "metadata.namespace", *served.selectable)
    for path in selector.paths:
        if path in known:
            continue
        if served.custom or served.selectable:
            raise bad_request(f"field label not supported: {path}")
        raise bad_request(
            f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
        )


def page(
    store: Store,
    registry: Registry,
    served: Served,
    namespace: str,
    *,
    labels: str,
    fields: str,
    limit: int,
    continue_token: str,
    resource_version: str,
    resource_version_match: str,
) -> Page:
    """One page; with a continue token at the version of the first page."""
    matches = selection(served, labels, fields)
    version, after = _position(store, continue_token, resource_version, resource_version_match)
    taken = store.snapshot(resource_of(served), namespace, version, after)
    items: list[Object] = []
    last, remaining = "", 0
    for key, stored in taken.items:
        obj = registry.presented(stored, served)
        if matches is not None and not matches(obj):
            continue
        if limit and len(items) == limit:
            remaining += 1
            if matches is not None:
                break
            continue
        items.append(obj)
        last = key.position
    token = _token(taken.version, last) if remaining else ""
    return Page(items, str(taken.version), token, 0 if matches is not None else remaining)


def _position(store: Store, token: str, version: str, match: str) -> tuple[int, str]:
    if token:
        if version not in ("", "0"):
            raise bad_request("specifying resource version is not allowed when using continue")
        found, after = _read_token(token)
        if found < store.history.floor and found != store.version:
            raise ApiError(
                "Expired",
                "The provided continue parameter is too old to display a consistent list result. You can "
                "start a new list without the continue parameter.",
            )
        return found, after
    if match and not version:
        raise _bad_match("Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided")
    if version and version != "0":
        wanted = parse_version(version, current=store.version)
        return (wanted if match == "Exact" else 0), ""
    return 0, ""


def _bad_match(text: str) -> ApiError:
    return ApiError("Invalid", f'ListOptions.meta.k8s.io "" is invalid: resourceVersionMatch: {text}')


def _token(version: int, after: str) -> str:
    return base64.urlsafe_b64encode(
        orjson.dumps({"v": "meta.k8s.io/v1", "rv": version, "start": after})
    ).decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        found: Any = orjson.loads(base64.urlsafe_b64decode(token))
        version, after = found["rv"], found["start"]
    except (binascii.Error, ValueError, KeyError, TypeError) as error:
        raise bad_request(
            f"invalid continue token: continue key is not valid: {type(error).__name__}"
        ) from None
    if not isinstance(version, int) or not isinstance(after, str) or "/" not in after:
        raise bad_request("invalid continue token: continue key is not valid")
    return version, after


def watch(
    store: Store,
    registry: Registry,
    served: Served,
    namespace: str,
    *,
    labels: str,
    fields: str,
    resource_version: str,
    bookmarks: bool,
    send_initial_events: bool,
    timeout: float,
) -> AsyncIterator[WatchEvent]:
    """Changes from a version on; without one (or with `0`) first what there is, as ADDED.

    What is wrong with the request, and a version too old, is raised before any event.
    """
    matches = selection(served, labels, fields)
    view = _View(registry, served, namespace, matches)
    initial: list[WatchEvent] = []
    from_now = resource_version in ("", "0") or send_initial_events
    if from_now:
        start = store.version
        items = store.snapshot(resource_of(served), namespace).items
        initial = [view.event("ADDED", obj) for _, obj in items if view.selected(obj) is not None]
        if send_initial_events:
            initial.append(view.bookmark(start, {INITIAL_EVENTS_END: "true"}))
    else:
        start = parse_version(resource_version, current=store.version)
    position = store.history.position_after(start)
    return _follow(store, view, initial, position, bookmarks=bookmarks, timeout=timeout)


async def _follow(
    store: Store,
    view: _View,
    initial: list[WatchEvent],
    position: int,
    *,
    bookmarks: bool,
    timeout: float,  # noqa: ASYNC109 - how long the server keeps the stream, part of the protocol
) -> AsyncIterator[WatchEvent]:
    clock = asyncio.get_running_loop().time
    ends = clock() + timeout if timeout else None
    for event in initial:
        yield event
    told = store.version
    while not store.history.closed:
        changes = store.history.read(position)
        position += len(changes)
        for change in changes:
            found = view.of(change)
            if found is not None:
                told = change.version
                yield found
        if changes:
            continue
        left = BOOKMARK_SECONDS if ends is None else min(BOOKMARK_SECONDS, ends - clock())
        if left <= 0:
            break
        if not await store.history.changed(left) and bookmarks and store.version > told:
            told = store.version
            yield view.bookmark(told)
    if bookmarks and store.version > told:
        yield view.bookmark(store.version)


class _View:
    """What one watch sees of the changes."""

    def __init__(self, registry: Registry, served: Served, namespace: str, matches: Matches | None) -> None:
        self._registry = registry
        self._served = served
        self._resource = resource_of(served)
        self._namespace = namespace
        self._matches = matches

    def of(self, change: Change) -> WatchEvent | None:
        """The event of a change: an object that starts or stops matching comes or goes."""
        key = change.key
        if key.resource != self._resource or self._namespace not in ("", key.namespace):
            return None
        was = self.selected(change.old)
        now = self.selected(change.new)
        if now is not None:
            return self.event("ADDED" if was is None else "MODIFIED", now)
        if was is None:
            return None
        # What is gone carries the version at which it went, so that a watch can be resumed there.
        gone = {**was, "metadata": {**was["metadata"], "resourceVersion": str(change.version)}}
        return self.event("DELETED", gone)

    def selected(self, obj: Object | None) -> Object | None:
        """The object, where this watch is to see it."""
        if obj is None or self._matches is None:
            return obj
        return obj if self._matches(self._registry.presented(obj, self._served)) else None

    def event(self, type: str, obj: Object) -> WatchEvent:
        """An event with the object in the version watched."""
        return WatchEvent(type, self._registry.presented(obj, self._served))

    def bookmark(self, version: int, annotations: dict[str, str] | None = None) -> WatchEvent:
        """How far the store has come."""
        meta: Object = {"resourceVersion": str(version), "creationTimestamp": None}
        if annotations:
            meta["annotations"] = annotations
        resource = self._served.resource
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
        return WatchEvent("BOOKMARK", obj)
