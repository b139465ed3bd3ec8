"""One text for one value: canonical JSON and its digest.

Two objects that mean the same have the same bytes here, whatever order their keys were written in.
"""

from __future__ import annotations

import json
from hashlib import sha256
from typing import Any

import orjson


def canonical_json(value: Any) -> bytes:
    """UTF-8 JSON with sorted keys and no spaces."""
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError:
        # A number beyond 64 bits, which YAML may hold and which validation will have a word on.
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def digest(value: Any) -> str:
    """Lower-case hex SHA-256 of the canonical JSON."""
    return sha256(canonical_json(value)).hexdigest()
