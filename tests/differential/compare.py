"""What came of a call, without what differs between two runs of one server; and the differences left.

Uids and versions of objects become names in order of appearance, so that an answer which shows the wrong
object, or a write that should have changed nothing, still stands out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from tests.differential.play import Answer

UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
AGE = re.compile(r"\d+s|<unknown>|<invalid>")
SENT = re.compile(r'Invalid value: "\{\\?".*\}"', re.DOTALL)
"""A whole object in a message: what comes of a patch, in whatever order its fields are."""
ADDRESS = re.compile(r"\b127\.0\.0\.1:\d+")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----")
CREDENTIAL = re.compile(r"X509SHA256=[0-9a-f]{64}")
RECORDED = re.compile(r"(?<=in record \()\d+(?=\))|(?<=current: )\d+|(?<=resourceVersion: ['\"])\d+")
DISCARDED = frozenset({"Date", "Audit-Id", "Content-Length", "Connection", "Server", "Transfer-Encoding"})
"""Headers that are about the connection or the run."""


class Difference(NamedTuple):
    """One place where two answers differ; absent things are `ABSENT`."""

    path: str
    real: Any
    ours: Any

    def __str__(self) -> str:
        return f"  {self.path}\n    real: {_shown(self.real)}\n    ours: {_shown(self.ours)}"


ABSENT = "<absent>"


def _shown(value: Any) -> str:
    return value if value == ABSENT else orjson.dumps(value, default=str).decode()[:1500]


class Masks:
    """Names for what varies, given out in order of appearance; one for each server and scenario."""

    def __init__(self, values: Mapping[str, str]) -> None:
        self._values = values
        self._names: dict[tuple[str, str], str] = {}

    def masked(self, answer: Answer) -> Mapping[str, Any]:
        """The answer in comparable form."""
        known = {v: f"{{{k}}}" for k, v in {**self._values, **answer.saved}.items() if len(v) > 3}
        headers = {
            k: [self._text(v, known) for v in sorted(vs)]
            for k, vs in answer.headers.items()
            if not _about_the_run(k)
        }
        return {
            "status": answer.status,
            "headers": headers,
            "body": self._value(answer.body, "", known),
        }

    def _value(self, value: Any, key: str, known: Mapping[str, str]) -> Any:
        if isinstance(value, dict):
            return {self._text(k, known): self._field(value, k, v, known) for k, v in value.items()}
        if isinstance(value, list):
            # Entries of one second, and the kinds of one group, come in any order.
            items = sorted(value, key=_untimed) if key in ("managedFields", "resources") else value
            return [self._value(item, key, known) for item in items]
        if isinstance(value, str):
            return "AGE" if key == "cells" and AGE.fullmatch(value) else self._text(value, known)
        return value

    def _field(self, owner: dict[str, Any], key: str, value: Any, known: Mapping[str, str]) -> Any:
        if key == "resourceVersion" and isinstance(value, str) and value.isdigit() and value != "0":
            # That of a list or bookmark moves with whatever else happens on the server.
            return self._version(owner, value) if "uid" in owner else "VERSION"
        if key == "continue":
            return "TOKEN"
        return self._value(value, key, known)

    def _version(self, owner: Mapping[str, Any], value: str) -> str:
        """Counted for each object: one write too many of one says nothing of the others."""
        return self._name(f"{self._name('uid', str(owner['uid']))} version", value)

    def _text(self, text: str, known: Mapping[str, str]) -> str:
        text = RECORDED.sub("VERSION", text)
        for found, name in ((ADDRESS, "ADDRESS"), (CERTIFICATE, "CERTIFICATE"), (CREDENTIAL, "CREDENTIAL")):
            text = found.sub(name, text)
        for value, name in known.items():
            text = text.replace(value, name)
        text = TIME.sub(lambda found: "MICROTIME" if found[1] else "TIME", text)
        text = SENT.sub("Invalid value: OBJECT", text)
        return UID.sub(lambda found: self._name("uid", found[0]), text)

    def _name(self, label: str, value: str) -> str:
        taken = sum(1 for known, _ in self._names if known == label)
        return self._names.setdefault((label, value), f"{label}-{taken + 1}")


def _about_the_run(header: str) -> bool:
    return header in DISCARDED or header.startswith("X-Kubernetes-Pf-")


def _untimed(entry: Any) -> bytes:
    kept = {k: v for k, v in entry.items() if k != "time"} if isinstance(entry, dict) else entry
    return orjson.dumps(kept, option=orjson.OPT_SORT_KEYS)


def differences(real: Any, ours: Any, path: str = "") -> Iterator[Difference]:
    """Every place where two comparable answers differ, as small as can be told."""
    if isinstance(real, dict) and isinstance(ours, dict):
        for key in [*real, *(k for k in ours if k not in real)]:
            here = f"{path}.{key}" if path else key
            yield from differences(real.get(key, ABSENT), ours.get(key, ABSENT), here)
    elif isinstance(real, list) and isinstance(ours, list) and len(real) != len(ours) and _named(real + ours):
        # Of two lists of named things, one longer than the other, what is missing is told by its name.
        by_name, other_by_name = ({_name_of(item): item for item in items} for items in (real, ours))
        yield from differences(by_name, other_by_name, path)
    elif isinstance(real, list) and isinstance(ours, list) and len(real) == len(ours):
        for at, (one, other) in enumerate(zip(real, ours, strict=True)):
            yield from differences(one, other, f"{path}[{at}]")
    elif real != ours or type(real) is not type(ours):
        yield Difference(path, real, ours)


def _named(items: list[Any]) -> bool:
    return all(isinstance(item, dict) and _name_of(item) for item in items)


def _name_of(item: Mapping[str, Any]) -> str:
    named = item.get("metadata", item)
    return str(named.get("name") or named.get("resource") or named.get("subresource") or "")
