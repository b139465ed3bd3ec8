"""What goes into the verbs of `Api` and what comes out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from gitops_ocm.apiserver.hooks.consultation import Consultation
from gitops_ocm.apiserver.showing import Items
from gitops_ocm.apiserver.watch_history import Key
from gitops_ocm.decide.admission import ADMIN, Requester
from gitops_ocm.objects.ref import Object


class Overtaken(Exception):
    """What a write was worked out from has changed before it could be kept."""

    def __init__(self, key: Key) -> None:
        super().__init__(key.name)
        self.key = key


Keep = Callable[[], Object]
Place = Callable[[Keep], Object]
"""Where a write that has been worked out is kept: here and now, or by the loop that the store belongs to."""


def here(keep: Keep) -> Object:
    """Keep it at once."""
    return keep()


@dataclass(frozen=True, slots=True)
class WriteOptions:
    """How a write is meant. `field_validation` is Strict, Warn or Ignore; `requester` is who asks,
    `duplicates` what the request said twice. With a `consultation`, what is registered in the server has its
    say: webhooks and policies; `document` is the options as they are told. `place` keeps what it came to."""

    field_manager: str = ""
    dry_run: bool = False
    force: bool = False
    field_validation: str = ""
    duplicates: tuple[str, ...] = ()
    requester: Requester = ADMIN
    consultation: Consultation | None = None
    place: Place = here
    document: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answer:
    """The object as it now is (or, removed, as it last was), with warnings for the caller.

    The object is the store's own: read it, never change it.
    """

    obj: Object
    warnings: tuple[str, ...] = ()
    created: bool = False
    removed: bool = False


class ListOptions(TypedDict, total=False):
    """What part of a collection is asked for."""

    labels: str
    fields: str
    limit: int
    continue_token: str
    resource_version: str
    resource_version_match: str


class WatchOptions(TypedDict, total=False):
    """What changes of a collection are asked for, and how they are told."""

    labels: str
    fields: str
    resource_version: str
    bookmarks: bool
    send_initial_events: bool | None
    timeout: float


@dataclass(frozen=True, slots=True)
class Page:
    """Part of a collection at one version; the objects are the store's own."""

    items: Items
    resource_version: str
    continue_token: str = ""
    remaining: int = 0
    warnings: tuple[str, ...] = ()
