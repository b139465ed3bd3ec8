"""The formats of text that `format.NAME()` stands for, and what is wrong with a text that is none."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

from gitops_ocm.objects.cel.times import date_value, moment
from gitops_ocm.objects.names import (
    dns1035_problems,
    key_problems,
    label_problems,
    label_value_problems,
    subdomain_problems,
)

_UUID = re.compile(r"(?i)[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}")
PATTERN_SIZES: Mapping[str, int] = {
    **{f"dns1123{part}": size for part, size in (("Label", 30), ("Subdomain", 60))},
    **{f"dns1123{part}Prefix": size for part, size in (("Label", 30), ("Subdomain", 60))},
    "dns1035Label": 30,
    "dns1035LabelPrefix": 30,
    "qualifiedName": 60,
    "labelValue": 40,
    "uri": 1103,
    "uuid": 70,
    "byte": 84,
    "date": 71,
    "datetime": 71,
}
"""How long the pattern is that looking at a text of a format is priced by."""


def problems(name: str, text: str) -> list[str]:
    """What is wrong with a text as one of a format."""
    plain = name.removesuffix("Prefix")
    if plain != name and text.endswith("-"):
        text = f"{text[:-1]}a"
    return list(_CHECKS[plain](text))


def _uri(text: str) -> list[str]:
    try:
        parts = urlsplit(text)
        good = text.startswith("/") or (
            bool(parts.scheme) and bool(parts.netloc or parts.path.startswith("/"))
        )
    except ValueError:
        good = False
    if good:
        return []
    return [f'parse "{text}": {"empty url" if not text else "invalid URI for request"}']


def _uuid(text: str) -> list[str]:
    return [] if _UUID.fullmatch(text) else ["does not match the UUID format"]


def _byte(text: str) -> list[str]:
    try:
        base64.b64decode(text, validate=True)
    except binascii.Error:
        return ["invalid base64"]
    return [] if text else ["invalid base64"]


def _time(read: Callable[[str], int], why: str) -> Callable[[str], list[str]]:
    def check(text: str) -> list[str]:
        try:
            read(text)
        except ValueError:
            return [why]
        return []

    return check


_CHECKS: Mapping[str, Callable[[str], list[str]]] = {
    "dns1123Label": label_problems,
    "dns1123Subdomain": subdomain_problems,
    "dns1035Label": dns1035_problems,
    "qualifiedName": lambda text: list(key_problems(text)),
    "labelValue": lambda text: list(label_value_problems(text)),
    "uri": _uri,
    "uuid": _uuid,
    "byte": _byte,
    "date": _time(date_value, "invalid date"),
    "datetime": _time(moment, "invalid datetime"),
}
