"""`"...".format([...])`: its clauses, which values they take, and the text they make."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import orjson

from gitops_ocm.objects.cel.faults import EvalError, of_length
from gitops_ocm.objects.cel.times import written_duration, written_moment
from gitops_ocm.objects.cel.types import Type
from gitops_ocm.objects.cel.values import Duration, Struct, Timestamp, is_list, is_map, shown, type_of

_CLAUSE = re.compile(r"%(?:(%)|(?:\.(\d+))?(.)?)", re.DOTALL)
_STRINGS = (
    "list",
    "map",
    "struct",
    "int",
    "uint",
    "double",
    "bool",
    "string",
    "timestamp",
    "bytes",
    "duration",
)
_TAKES = {
    "s": (*_STRINGS, "type", "null"),
    "d": ("int", "uint"),
    "f": ("double", "string"),
    "e": ("double", "string"),
    "b": ("int", "uint", "bool"),
    "x": ("int", "uint", "string", "bytes"),
    "o": ("int", "uint"),
}
_REFUSES = {
    "s": "string clause can only be used on strings, bools, bytes, ints, doubles, maps, lists, types, "
    "durations, and timestamps",
    "d": "decimal clause can only be used on integers",
    "f": "fixed-point clause can only be used on doubles",
    "e": "scientific clause can only be used on doubles",
    "b": "only integers and bools can be formatted as binary",
    "x": "only integers, byte buffers, and strings can be formatted as hex",
    "o": "octal clause can only be used on integers",
}
_DOUBLES = ("NaN", "Infinity", "-Infinity")


class Clause(NamedTuple):
    """One clause of a format: its letter, and how many digits."""

    letter: str
    digits: int


def clauses(text: str) -> Iterator[str | Clause]:
    """The parts of a format; ValueError says what is wrong with one."""
    end = 0
    for found in _CLAUSE.finditer(text):
        yield text[end : found.start()]
        end = found.end()
        if found[1]:
            yield "%"
        elif found[3] is None:
            raise ValueError("unexpected end of string")
        elif found[3].lower() not in _TAKES or found[3] in "SDFEBO":
            raise ValueError(
                f'could not parse formatting clause: unrecognized formatting clause "{found[3]}"'
            )
        else:
            yield Clause(found[3], int(found[2] or 6))
    yield text[end:]


def refusal(clause: Clause, type_: Type) -> str:
    """Why a clause cannot take a value of a type; `""` where it can."""
    if type_.kind == "dyn" or type_.kind in _TAKES[clause.letter.lower()]:
        return ""
    return f"error during formatting: {_REFUSES[clause.letter.lower()]}, was given {type_.name}"


def formatted(text: str, args: list[Any]) -> str:
    """The text with the arguments in it."""
    parts, at, length = [], 0, 0
    try:
        for part in clauses(text):
            if isinstance(part, str):
                parts.append(part)
                continue
            if at >= len(args):
                raise ValueError(f"index {at} out of range")
            if why := refusal(part, type_of(args[at])):
                raise ValueError(why)
            of_length(part.digits if part.letter in "fe" else 0)
            parts.append(_clause(part, args[at]))
            length += len(parts[-1])
            of_length(length)
            at += 1
    except ValueError as error:
        raise EvalError(str(error)) from error
    return "".join(parts)


def _clause(clause: Clause, value: Any) -> str:
    letter = clause.letter
    match letter:
        case "s":
            return _text(value)
        case "d":
            return str(int(value))
        case "f" | "e":
            return _double(value, clause)
        case "b" | "o":
            return format(int(value), letter)
    if isinstance(value, (str, bytes)):
        digits = (value.encode() if isinstance(value, str) else value).hex()
        return digits.upper() if letter == "X" else digits
    return format(int(value), letter)


def _double(value: Any, clause: Clause) -> str:
    if isinstance(value, str):
        if value not in _DOUBLES:
            raise ValueError(f"error during formatting: {_REFUSES[clause.letter]}, was given string")
        value = float(value)
    if value != value or value in (float("inf"), float("-inf")):
        return "NaN" if value != value else "∞" if value > 0 else "-∞"
    if clause.letter == "f":
        return f"{value:,.{clause.digits}f}"
    mantissa, _, exponent = f"{value:.{clause.digits}e}".partition("e")
    power = str.maketrans("0123456789-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁻")
    shown = f"{int(exponent):03}" if int(exponent) < 0 else f"{int(exponent):02}"
    return f"{mantissa}\u202f×\u202f10{shown.translate(power)}"


def _text(value: Any) -> str:
    from gitops_ocm.objects.cel.functions_language import double_text

    match value:
        case Type():
            return value.name
        case bytes():
            return value.decode(errors="replace")
        case float():
            return double_text(value)
        case Duration():
            return written_duration(value)
        case Timestamp():
            return written_moment(value)
    return _inner(value) if is_list(value) or is_map(value) else shown(value)


def _inner(value: Any) -> str:
    """A value inside a list or map, as an expression would write it."""
    if is_list(value):
        return f"[{', '.join(map(_inner, value))}]"
    if is_map(value):
        get = value.get if isinstance(value, Struct) else value.__getitem__
        return "{" + ", ".join(sorted(f"{_inner(key)}:{_inner(get(key))}" for key in value)) + "}"
    match value:
        case str():
            return orjson.dumps(value).decode()
        case bytes():
            return f"b{orjson.dumps(value.decode(errors='replace')).decode()}"
        case float():
            return f"{value:.6f}"
        case Duration():
            return f'duration("{written_duration(value)}")'
        case Timestamp():
            return f'timestamp("{written_moment(value)}")'
    return _text(value)
