"""LIST and WATCH: selectors, pages at one version, and what an object's coming and going look like."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import chain, islice
from typing import Any, NamedTuple

import orjson

from gitops_ocm.apiserver.bodies import Unreadable, read_json
from gitops_ocm.apiserver.list_options import check_list
from gitops_ocm.apiserver.registry import Registry, resource_of
from gitops_ocm.apiserver.showing import Event, Items, Shown
from gitops_ocm.apiserver.store import Store, parse_version, version_problem
from gitops_ocm.apiserver.stored import Stored
from gitops_ocm.apiserver.values import Page
from gitops_ocm.apiserver.watch_history import Change, Feed, Key
from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, bad_request
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.selectors import FieldSelector, parse, parse_fields

BOOKMARK_SECONDS = 60.0
"""A quiet watch that allows bookmarks hears how far the store has come this often."""
_CONTINUE_FORM = "meta.k8s.io/v1"
_STEP = 250
"""Objects looked into before others get their turn."""
INITIAL_EVENTS_END = "k8s.io/initial-events-end"

_USUAL_TERMS = 16
"""Terms of a selector that are judged in the time it takes to look into an object."""


class Matches(NamedTuple):
    """What selects objects, and how many it may be asked about before others get their turn."""

    selects: Callable[[Object], bool]
    step: int


def selection(served: Served, labels: str, fields: str) -> Matches | None:
    """Whether an object is asked for; None where all are. Raises BadRequest for bad selectors."""
    if not labels and not fields:
        return None
    by_labels, by_fields = parse(labels), parse_fields(fields)
    _check_fields(by_fields, served)

    def matches(obj: Object) -> bool:
        return by_labels.matches(obj["metadata"].get("labels")) and by_fields.matches(obj)

    terms = len(by_labels.requirements) + len(by_fields.terms)
    return Matches(matches, max(1, _STEP * _USUAL_TERMS // (_USUAL_TERMS + terms)))


def _check_fields(selector: FieldSelector, served: Served) -> None:
    known = ("metadata.name", "metadata.namespace", *served.selectable)
    for path in selector.paths:
        if path in known or (not path and not served.custom):
            continue
        if served.custom or served.selectable:
            raise bad_request(f"field label not supported: {path}")
        raise bad_request(
            f'"{path}" is not a known field selector: only "metadata.name", "metadata.namespace"'
        )


Work = Callable[[], Any]
"""A step that may take long; whoever goes through the steps does it, and sends back what it came to."""
Steps = Generator[Work | None, Any, Page]
"""What comes to a page by and by; others can be served between two steps."""


def page(steps: Steps) -> Page:
    """The page that steps come to, at once."""
    result = None
    while True:
        try:
            work = steps.send(result)
        except StopIteration as end:
            found: Page = end.value
            return found
        result = work() if work else None


def paging(
    store: Store,
    registry: Registry,
    served: Served,
    namespace: str,
    *,
    labels: str = "",
    fields: str = "",
    limit: int = 0,
    continue_token: str = "",
    resource_version: str = "",
    resource_version_match: str = "",
) -> Steps:
    """One page; with a continue token at the version of the first page.

    In steps, so that whoever has other things to do can do them while many objects are looked into. All
    of it is of the moment of the first step.
    """
    check_list(version=resource_version, match=resource_version_match, token=continue_token)
    matches = selection(served, labels, fields)
    limit = max(0, limit)
    if continue_token and resource_version == "0":
        limit = 0  # what may be old comes from a cache, which makes no pages
    version, after = _position(store, continue_token, resource_version, resource_version_match, limit)
    taken = store.snapshot(resource_of(served), namespace, version, after)
    shown = Shown(store, registry, served)
    if matches is None:
        part = taken.items[:limit] if limit else taken.items
        remaining = len(taken.items) - len(part)
        token = _token(taken.version, part[-1][0].position) if remaining else ""
        return Page(Items(shown, [stored for _, stored in part]), str(taken.version), token, remaining)
    items: list[Stored] = []
    last = ""
    for number, (key, stored) in enumerate(taken.items):
        if number % matches.step == matches.step - 1:
            yield None
        if not matches.selects(shown.of(stored)):
            continue
        if limit and len(items) == limit:
            return Page(Items(shown, items), str(taken.version), _token(taken.version, last))
        items.append(stored)
        last = key.position
    return Page(Items(shown, items), str(taken.version))


def _position(store: Store, token: str, version: str, match: str, limit: int) -> tuple[int, str]:
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
    if version and version != "0":
        if problem := version_problem(version):
            why = f'resourceVersion: Invalid value: "{version}": {problem}'
            raise bad_request(f"invalid resource version: {why}")
        wanted = parse_version(version, current=store.version)
        # A page of a version is of exactly that, as long as nobody says that a newer one will do.
        exact = match == "Exact" or (limit and not match)
        return (wanted if exact else 0), ""
    return 0, ""


def _token(version: int, after: str) -> str:
    return base64.urlsafe_b64encode(
        orjson.dumps({"v": _CONTINUE_FORM, "rv": version, "start": after})
    ).decode()


def _read_token(token: str) -> tuple[int, str]:
    try:
        text = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        raise _bad_token("it is not what this server gave out") from None
    try:
        found = read_json(text)
    except Unreadable as problem:
        raise _bad_token(str(problem)) from None
    if not isinstance(found, dict) or found.get("v") != _CONTINUE_FORM:
        raise _bad_token("server does not recognize this encoded version " + _version_of(found))
    version, after = found.get("rv"), found.get("start")
    if not after:
        raise _bad_token(f"encoded start key empty (version {_CONTINUE_FORM})")
    if not isinstance(version, int) or not isinstance(after, str) or "/" not in after:
        raise _bad_token("it is not what this server gave out")
    return version, after


def _version_of(token: Any) -> str:
    return str(token.get("v") or "") if isinstance(token, dict) else ""


def _bad_token(why: str) -> ApiError:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")


def watch(
    store: Store,
    registry: Registry,
    served: Served,
    namespace: str,
    *,
    labels: str = "",
    fields: str = "",
    resource_version: str = "",
    bookmarks: bool = False,
    send_initial_events: bool | None = None,
    timeout: float = 0,
) -> Watch:
    """Changes from a version on; without one (or with `0`) first what there is, as ADDED.

    `send_initial_events` says whether what there is comes first, whatever the version; None leaves it to
    that. Its end is told to those who allow bookmarks. What is wrong with the request, and a version too
    old, is raised before any event.
    """
    matches = selection(served, labels, fields)
    view = _View(Shown(store, registry, served), matches)
    resource = resource_of(served)
    initial: Iterator[Event | None] = iter(())
    if send_initial_events is False and resource_version in ("", "0"):
        start = store.version
    elif resource_version in ("", "0") or send_initial_events:
        start = store.version
        ended = (
            (view.bookmark(start, {INITIAL_EVENTS_END: "true"}),) if send_initial_events and bookmarks else ()
        )
        initial = chain(view.initial(store.snapshot(resource, namespace).items), ended)
    else:
        start = parse_version(resource_version, current=store.version)
    feed = store.history.follow(resource, namespace, start)
    return Watch(store, view, feed, initial, bookmarks=bookmarks, timeout=timeout)


class Watch:
    """The events of one watch. It follows the history from the moment it is made until `close`."""

    def __init__(
        self,
        store: Store,
        view: _View,
        feed: Feed,
        initial: Iterator[Event | None],
        *,
        bookmarks: bool,
        timeout: float,
    ) -> None:
        self._store = store
        self._view = view
        self._feed = feed
        self._ready: deque[Event] = deque()
        self._changes: deque[Change] = deque()
        self._initial: Iterator[Event | None] | None = initial
        self._bookmarks = bookmarks
        self._ends = asyncio.get_running_loop().time() + timeout if timeout else None
        self._told = store.version
        self._over = False

    def __aiter__(self) -> Watch:
        return self

    async def __anext__(self) -> Event:
        """The next event; ends with the time asked for, or with the store."""
        try:
            while not self._ready:
                if self._over:
                    raise StopAsyncIteration
                await self._read()
        except BaseException:
            self.close()
            raise
        return self._ready.popleft()

    def close(self) -> None:
        """Follow no longer."""
        self._over = True
        self._feed.close()

    def ready(self) -> list[Event]:
        """Events that can be told at once, after the one that was told."""
        taken = list(self._ready)
        self._ready.clear()
        return taken

    async def _read(self) -> None:
        if self._initial is not None:
            taken = list(islice(self._initial, self._view.step))
            self._ready.extend(event for event in taken if event is not None)
            if len(taken) < self._view.step:
                self._initial = None
            # Who has read many objects lets others do something before the next ones.
            await asyncio.sleep(0)
            return
        self._changes.extend(self._feed.take())
        for _ in range(min(len(self._changes), self._view.step)):
            change = self._changes.popleft()
            found = self._view.of(change)
            if found is not None:
                self._told = change.version
                self._ready.append(found)
        if self._changes:
            await asyncio.sleep(0)
        if self._ready or self._changes:
            return
        if self._store.history.closed:
            self._over = True
            return
        left = BOOKMARK_SECONDS
        if self._ends is not None:
            left = min(left, self._ends - asyncio.get_running_loop().time())
        if left <= 0:
            self._over = True
            self._mark()
        elif not await self._feed.changed(left):
            self._mark()

    def _mark(self) -> None:
        if self._bookmarks and self._store.version > self._told:
            self._told = self._store.version
            self._ready.append(self._view.bookmark(self._told))


class _View:
    """What one watch sees of the changes."""

    def __init__(self, shown: Shown, matches: Matches | None) -> None:
        self._shown = shown
        self._matches = matches
        self.step = matches.step if matches is not None else _STEP

    def initial(self, items: Iterable[tuple[Key, Stored]]) -> Iterator[Event | None]:
        """What is there, as events; None for each object that this watch is not to see."""
        for _, stored in items:
            yield self.event("ADDED", stored) if self.selects(stored) else None

    def of(self, change: Change) -> Event | None:
        """The event of a change: an object that starts or stops matching comes or goes."""
        was, now = self.selects(change.old), self.selects(change.new)
        if now:
            assert change.new is not None
            return self.event("MODIFIED" if was else "ADDED", change.new)
        # What is gone carries the version at which it went, so that a watch can be resumed there.
        return self.event("DELETED", change.gone) if was else None

    def selects(self, stored: Stored | None) -> bool:
        """Whether this watch is to see the object."""
        if stored is None or self._matches is None:
            return stored is not None
        return self._matches.selects(self._shown.of(stored))

    def event(self, type: str, stored: Stored) -> Event:
        """An event with the object in the version watched."""
        return Event(type, stored, self._shown)

    def bookmark(self, version: int, annotations: dict[str, str] | None = None) -> Event:
        """How far the store has come."""
        meta: Object = {"resourceVersion": str(version)}
        if annotations:
            meta["annotations"] = annotations
        resource = self._shown.served.resource
        obj = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": meta}
        return Event("BOOKMARK", Stored.of(obj, version), self._shown)
