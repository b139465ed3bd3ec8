"""Kubernetes quantities (`1.5Gi`, `100m`): the number one names, and the one way a server writes it.

A server reads `0.1` and answers `100m`, reads `1024Mi` and answers `1Gi`. Numbers finer than a
billionth are rounded up, as there.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation, localcontext

_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_SUFFIX_OF: Mapping[int, str] = {exponent: suffix for suffix, exponent in _DECIMAL.items()}
_BINARY_OF: Mapping[int, str] = {power: suffix for suffix, power in _BINARY.items()}
_FORM = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))(?:([eE][+-]?\d+)|([KMGTPE]i|[numkMGTPE])?)")
_FINEST = Decimal("1e-9")
_MAX = Decimal((1 << 63) - 1)
MALFORMED = "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'"


def quantity(text: str) -> Decimal:
    """The number a quantity names; ValueError when it names none."""
    return _read(text)[0]


def canonical_quantity(value: str | float) -> str:
    """A quantity (text, or a JSON number) as a server writes it; ValueError when it is none."""
    return _written(*_read(str(value)))


def quantity_like(number: Decimal, text: str) -> str:
    """A number as a server writes it, in the way another quantity is written."""
    return _written(number, _read(text)[1])


def _written(number: Decimal, form: str) -> str:
    if form == "binary" and abs(number) >= 1024 and number == number.to_integral_value():
        mantissa, power = int(number), 0
        while mantissa % 1024 == 0 and power < max(_BINARY_OF):
            mantissa, power = mantissa // 1024, power + 1
        return f"{mantissa}{_BINARY_OF.get(power, '')}"
    mantissa, exponent = _by_thousands(number)
    if form == "exponent":
        return f"{mantissa}e{exponent}" if exponent else str(mantissa)
    while exponent > max(_SUFFIX_OF):
        mantissa, exponent = mantissa * 1000, exponent - 3
    return f"{mantissa}{_SUFFIX_OF[exponent]}"


def _read(text: str) -> tuple[Decimal, str]:
    """The number, and which of the three ways of writing it was used."""
    found = _FORM.fullmatch(text)
    if not found:
        raise ValueError(MALFORMED)
    digits, exponent, suffix = found[1], found[2] or "", found[3] or ""
    with localcontext(prec=100):
        try:
            number = Decimal(digits + exponent)
        except InvalidOperation as error:
            raise ValueError(MALFORMED) from error
        if abs(number.adjusted()) > 40:
            number = _MAX.copy_sign(number) if number.adjusted() > 0 else _FINEST.copy_sign(number)
        if suffix in _BINARY:
            number *= Decimal(1024) ** _BINARY[suffix]
        else:
            number = number.scaleb(_DECIMAL[suffix])
        if number != number.quantize(_FINEST):
            number = number.quantize(_FINEST, ROUND_CEILING if number > 0 else ROUND_FLOOR)
        if suffix in _BINARY:
            number = max(min(number, _MAX), -_MAX)
    return number, "binary" if suffix in _BINARY else "exponent" if exponent else "decimal"


def _by_thousands(number: Decimal) -> tuple[int, int]:
    """A whole number times a power of ten that is a multiple of three, the greatest there is."""
    mantissa, exponent = int(number.scaleb(9)), -9
    if mantissa == 0:
        return 0, 0
    while mantissa % 1000 == 0:
        mantissa, exponent = mantissa // 1000, exponent + 3
    return mantissa, exponent
