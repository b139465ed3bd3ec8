"""What is wrong with a text that should be JSON, in the words of Go's decoder.

Clients print these words, and some look for them; orjson, which reads what is right, has words of its own.
"""

from __future__ import annotations

import re
from typing import Literal

MAX_DEPTH = 10_000
END = "unexpected end of JSON input"
_SPACE = b" \t\r\n"
_LITERALS = {ord("t"): b"true", ord("f"): b"false", ord("n"): b"null"}
_STRING = re.compile(rb'"(?:[^"\\\x00-\x1f]|\\(?:["\\/bfnrt]|u[0-9A-Fa-f]{4}))*')
_NUMBER = re.compile(rb"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?")
_State = Literal["value", "first item", "first key", "key", "colon", "after"]


class _Wrong(Exception):
    """Carries the words."""


def syntax_error(data: bytes) -> str:
    """The first problem; empty where the text is JSON (its strings may still be no UTF-8)."""
    try:
        _scan(data)
    except _Wrong as problem:
        return str(problem)
    return ""


def _scan(data: bytes) -> None:
    closers: list[int] = []
    state: _State = "value"
    at = 0
    while True:
        while at < len(data) and data[at] in _SPACE:
            at += 1
        if at == len(data):
            if closers or state != "after":
                raise _Wrong(END)
            return
        at, state = _step(data, at, state, closers)


def _step(data: bytes, at: int, state: _State, closers: list[int]) -> tuple[int, _State]:
    char = data[at]
    if state in ("first item", "first key") and char == closers[-1]:
        closers.pop()
        return at + 1, "after"
    if state in ("first key", "key"):
        if char != ord('"'):
            raise _invalid(char, "looking for beginning of object key string")
        return _string(data, at), "colon"
    if state == "colon":
        if char != ord(":"):
            raise _invalid(char, "after object key")
        return at + 1, "value"
    if state == "after":
        return at + 1, _after(char, closers)
    return _value(data, at, closers)


def _after(char: int, closers: list[int]) -> _State:
    if not closers:
        raise _invalid(char, "after top-level value")
    if char == closers[-1]:
        closers.pop()
        return "after"
    in_object = closers[-1] == ord("}")
    if char != ord(","):
        raise _invalid(char, "after object key:value pair" if in_object else "after array element")
    return "key" if in_object else "value"


def _value(data: bytes, at: int, closers: list[int]) -> tuple[int, _State]:
    char = data[at]
    if char in b"{[":
        closers.append(ord("}") if char == ord("{") else ord("]"))
        if len(closers) > MAX_DEPTH:
            raise _invalid(char, "exceeded max depth")
        return at + 1, "first key" if char == ord("{") else "first item"
    if char == ord('"'):
        return _string(data, at), "after"
    if char in _LITERALS:
        return _literal(data, at, _LITERALS[char]), "after"
    if char in b"-0123456789":
        return _number(data, at), "after"
    raise _invalid(char, "looking for beginning of value")


def _string(data: bytes, at: int) -> int:
    found = _STRING.match(data, at)
    end = found.end() if found else at + 1
    if end == len(data):
        raise _Wrong(END)
    if data[end] == ord('"'):
        return end + 1
    if data[end] != ord("\\"):
        raise _invalid(data[end], "in string literal")
    if end + 1 == len(data):
        raise _Wrong(END)
    if data[end + 1] != ord("u"):
        raise _invalid(data[end + 1], "in string escape code")
    for char in data[end + 2 : end + 6]:
        if char not in b"0123456789abcdefABCDEF":
            raise _invalid(char, "in \\u hexadecimal character escape")
    raise _Wrong(END)


def _literal(data: bytes, at: int, word: bytes) -> int:
    for offset, wanted in enumerate(word):
        if at + offset == len(data):
            raise _Wrong(END)
        if data[at + offset] != wanted:
            raise _invalid(data[at + offset], f"in literal {word.decode()} (expecting '{chr(wanted)}')")
    return at + len(word)


def _number(data: bytes, at: int) -> int:
    found = _NUMBER.match(data, at)
    end = found.end() if found else at + 1
    rest = data[end : end + 1]
    if found is None:
        place = "in numeric literal"
    elif rest == b".":
        end, place = end + 1, "after decimal point in numeric literal"
    elif rest in (b"e", b"E"):
        end += 2 if data[end + 1 : end + 2] in (b"+", b"-") else 1
        place = "in exponent of numeric literal"
    else:
        return end
    if end >= len(data):
        raise _Wrong(END)
    raise _invalid(data[end], place)


def _invalid(char: int, where: str) -> _Wrong:
    shown = {ord("'"): r"\'", ord('"'): '"', ord("\\"): r"\\"}.get(char)
    if shown is None:
        letter = chr(char)
        shown = (
            letter
            if letter.isprintable()
            else _ESCAPES.get(letter) or (f"\\u{char:04x}" if char > 127 else f"\\x{char:02x}")
        )
    return _Wrong(f"invalid character '{shown}' {where}")


_ESCAPES = {"\a": r"\a", "\b": r"\b", "\f": r"\f", "\n": r"\n", "\r": r"\r", "\t": r"\t", "\v": r"\v"}
