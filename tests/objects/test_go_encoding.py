"""JSON as Go writes it, and the hashes that OCM makes of it."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gitops_ocm.objects.go_encoding import go_float, go_json

FLOATS: Mapping[float, str] = {
    0.0: "0", 1.0: "1", 1.5: "1.5", -2.25: "-2.25", 100.0: "100", 0.1: "0.1",
    1e20: "100000000000000000000", 9.99999999999999e20: "999999999999999000000", 1e21: "1e+21",
    1.7976931348623157e308: "1.7976931348623157e+308", 1e16: "10000000000000000",
    0.000001: "0.000001", 1.234e-5: "0.00001234", 9.999999e-7: "9.999999e-7", 1e-7: "1e-7",
    5e-324: "5e-324", -1.5e-10: "-1.5e-10", 12345678901234567890.0: "12345678901234567000",
}  # fmt: skip


@pytest.mark.parametrize("value", FLOATS)
def test_a_float_has_gos_digits(value: float) -> None:
    """The rows were printed by Go's encoding/json."""
    assert go_float(value) == FLOATS[value]


def test_negative_zero_keeps_its_sign() -> None:
    """As in Go, which tells the two apart where JSON does."""
    assert go_float(-0.0) == "-0"


@given(st.integers(0, 2**64 - 1))
@settings(derandomize=True, deadline=None, max_examples=500)
def test_a_float_is_read_back_as_it_was(bits: int) -> None:
    """Whatever the bits, the text means the same number, in Go's form of it."""
    (value,) = struct.unpack("<d", struct.pack("<Q", bits))
    if value - value != 0:
        return  # JSON has neither infinities nor NaN.
    text = go_float(value)
    assert json.loads(text) == value
    assert ("e" in text) == (value != 0 and not 1e-6 <= abs(value) < 1e21)


HASHES: Mapping[str, tuple[Any, str]] = {
    "nothing": ({}, "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"),
    "an empty spec": (
        {"spec": {}}, "53aa778a9b137a0ca7ab79937d069870b14440dae5922f51d940ffa4b178d5cb",
    ),
    "keys in the wrong order": (
        {"spec": {"b": 1, "a": "x"}}, "41c28972974470482f9110477b15cc0f149680cf05a0a64929a55079e74e3b1a",
    ),
    "every kind of escape": (
        {"data": {"k": "<a>&'\"é\u2028"}, "binaryData": {"z": "AA=="}},
        "f5bec31e5127ca21136dd8c2f78f7e9a3ec2a7115e83bd61c144d522f92dba7e",
    ),
    "a deployment config": (
        {"spec": {"agentInstallNamespace": "open-cluster-management-agent-addon"}},
        "d18a79b7b556192a80b3023546cd8346114f2dec27fb39707e6193a0130e4b39",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HASHES)
def test_the_hash_is_ocms(case: str) -> None:
    """Rows of what OCM's controllers have in their status."""
    value, expected = HASHES[case]
    assert sha256(go_json(value)).hexdigest() == expected


TEXTS: Mapping[str, tuple[Any, bytes]] = {
    "whole floats": ({"spec": {"a": [1.0, 2.50, None, True]}}, b'{"spec":{"a":[1,2.5,null,true]}}'),
    "beyond int64": ({"a": 2**63, "b": 10**20, "c": 2**63 - 1, "d": -(2**63)},
                     (b'{"a":9223372036854776000,"b":100000000000000000000,"c":9223372036854775807,'
                      b'"d":-9223372036854775808}')),
    "controls": ({"a": "\n\r\t\b\f\x01\x7f"}, b'{"a":"\\n\\r\\t\\b\\f\\u0001\x7f"}'),
    "beside a float": ({"a<": "&", "z": 0.5}, b'{"a\\u003c":"\\u0026","z":0.5}'),
    "empty beside a float": ({"a": {}, "b": [], "z": 0.5}, b'{"a":{},"b":[],"z":0.5}'),
    "keys by their bytes": ({"é": 0.5, "z": 1, "A": 2, "\uffff": 3, "\U0001f600": 4},
                            '{"A":2,"z":1,"é":0.5,"\uffff":3,"\U0001f600":4}'.encode()),
}  # fmt: skip


@pytest.mark.parametrize("case", TEXTS)
def test_the_bytes_are_gos(case: str) -> None:
    """Whole texts, with and without the numbers that need a hand."""
    value, expected = TEXTS[case]
    assert go_json(value) == expected


_PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(_PLAIN)
@settings(derandomize=True, deadline=None)
def test_both_ways_of_writing_agree(value: Any) -> None:
    """What is written by hand around a float is written as the rest is."""
    alone = go_json(value)
    assert go_json([value, 0.5]) == b"[" + alone + b",0.5]"
    assert json.loads(alone) == value
