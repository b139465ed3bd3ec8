"""What a commit object says: its tree, parents, people, times, message and trailers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone

_PERSON = re.compile(r"(?P<name>.*?) ?<(?P<email>[^>]*)> (?P<seconds>-?\d+) (?P<zone>[+-]\d{4})")
_TRAILER = re.compile(r"(?P<key>[A-Za-z0-9][A-Za-z0-9-]*): (?P<value>.*)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Person:
    """Who, and when by their own clock."""

    name: str = ""
    email: str = ""
    when: datetime = _EPOCH


@dataclass(frozen=True)
class CommitInfo:
    """One commit."""

    sha: str
    tree: str
    parents: tuple[str, ...]
    author: Person
    committer: Person
    message: str

    @property
    def subject(self) -> str:
        """The message's first line."""
        return self.message.partition("\n")[0]

    @property
    def trailers(self) -> Mapping[str, str]:
        """`Key: value` lines of the last paragraph, if it has nothing else; the last of a key wins."""
        _, _, last = self.message.rstrip().rpartition("\n\n")
        matches = [_TRAILER.fullmatch(line) for line in last.splitlines()]
        return {m["key"]: m["value"].strip() for m in matches if m} if all(matches) else {}


def parse_commit(sha: str, data: bytes) -> CommitInfo:
    """A commit from its object's bytes."""
    head, _, message = data.partition(b"\n\n")
    fields: dict[str, list[str]] = {}
    for line in head.decode("utf-8", "replace").split("\n"):
        key, _, value = line.partition(" ")
        if key:  # A continuation line (of a signature) begins with a space.
            fields.setdefault(key, []).append(value)
    return CommitInfo(
        sha,
        fields.get("tree", [""])[0],
        tuple(fields.get("parent", ())),
        _person(fields.get("author", [""])[0]),
        _person(fields.get("committer", [""])[0]),
        message.decode("utf-8", "replace"),
    )


def _person(text: str) -> Person:
    match = _PERSON.fullmatch(text)
    if not match:
        return Person(text)
    zone = match["zone"]
    offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[3:]))
    try:
        tz = timezone(-offset if zone[0] == "-" else offset)
        when = datetime.fromtimestamp(int(match["seconds"]), tz)
    except (ValueError, OverflowError, OSError):  # A date out of all bounds is no reason to fail.
        when = _EPOCH
    return Person(match["name"], match["email"], when)
