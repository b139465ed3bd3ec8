"""PEM (RFC 7468) as Go reads it: every block in a text, whatever stands between them. Pure."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from typing import NamedTuple

_BLOCK = re.compile(
    rb"^-----BEGIN (?P<label>[^\n]*?)-----[ \t\r]*\n(?P<text>.*?)^-----END (?P=label)-----[ \t\r]*$",
    re.MULTILINE | re.DOTALL,
)


class Block(NamedTuple):
    """One block: what it says it is, whether it has headers, and its bytes."""

    label: str
    headers: bool
    body: bytes


def blocks(data: bytes) -> Iterator[Block]:
    """The blocks that can be read, in order; others are passed over."""
    for match in _BLOCK.finditer(data):
        lines = match["text"].splitlines()
        headers = [line for line in lines if b":" in line]
        try:
            body = base64.b64decode(b"".join(b"".join(lines[len(headers) :]).split()), validate=True)
        except binascii.Error:
            continue
        yield Block(match["label"].decode("utf-8", "replace"), bool(headers), body)
