"""Resource quantities (`500m`, `16Gi`, `1e3`) as exact numbers that print as Kubernetes prints them.

A cluster's capacity is a sum over its nodes: the sum must be exact and come out in the notation
the API server would choose. The rules are those of apimachinery's `resource.Quantity`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction
from math import ceil
from typing import Annotated

from gitops_ocm.api.base import IntOrString
from gitops_ocm.api.scalars import ScalarError

QUANTITY_PATTERN = (
    r"^(\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))(([KMGTPE]i)|[numkMGTPE]"
    r"|([eE](\+|-)?(([0-9]+(\.[0-9]*)?)|(\.[0-9]+))))?$"
)
QuantityText = Annotated[int | str, IntOrString(QUANTITY_PATTERN)]
"""A quantity on the wire: the text (or whole number) it was written as."""
Resources = dict[str, QuantityText]
"""Resource name (`cpu`, `memory`) → quantity."""

_PARTS = re.compile(
    r"(?P<number>[+-]?(?:\d+\.?\d*|\.\d+))(?P<suffix>[KMGTPE]i|[numkMGTPE]|[eE][+-]?\d{1,3}|)", re.ASCII
)
_BINARY = {"Ki": 1, "Mi": 2, "Gi": 3, "Ti": 4, "Pi": 5, "Ei": 6}
_DECIMAL = {"n": -9, "u": -6, "m": -3, "": 0, "k": 3, "M": 6, "G": 9, "T": 12, "P": 15, "E": 18}
_LARGEST = 2**63 - 1
_STEPS = 10**9


class Notation(StrEnum):
    """The family of suffixes a quantity was written in, which its sums keep."""

    BINARY = "BinarySI"
    DECIMAL = "DecimalSI"
    EXPONENT = "DecimalExponent"


@dataclass(frozen=True, slots=True)
class Quantity:
    """An exact amount and the notation it prints in."""

    amount: Fraction
    notation: Notation = Notation.DECIMAL

    @classmethod
    def parse(cls, text: str | int) -> Quantity:
        """Read a quantity; below a nano it is rounded away from zero.

        Binary ones are capped at an int64, as Kubernetes does.
        """
        found = _PARTS.fullmatch(str(text))
        if not found:
            raise ScalarError(f"{str(text)[:64]!r} is not a quantity", hint="write it like 500m, 2 or 16Gi")
        suffix = found["suffix"]
        number = Fraction(found["number"].rstrip("."))
        if suffix in _BINARY:
            return cls(_capped(_rounded(number * 1024 ** _BINARY[suffix])), Notation.BINARY)
        power = _DECIMAL[suffix] if suffix in _DECIMAL else int(suffix[1:])
        notation = Notation.DECIMAL if suffix in _DECIMAL else Notation.EXPONENT
        return cls(_rounded(number * Fraction(10) ** power), notation)

    def __add__(self, other: Quantity) -> Quantity:
        """The sum in this quantity's notation; zero takes the other's."""
        notation = self.notation if self.amount else other.notation
        return Quantity(self.amount + other.amount, notation)

    def __str__(self) -> str:
        """The canonical text: no fraction, the largest suffix that needs none.

        Binary suffixes are for whole amounts from 1024 on; what is smaller or broken is decimal.
        """
        if self.notation is Notation.BINARY and abs(self.amount) >= 1024 and self.amount.denominator == 1:
            return self._binary()
        digits, power = self._decimal()
        if self.notation is Notation.EXPONENT:
            return f"{digits}e{power}" if power else str(digits)
        return str(digits) + next(s for s, p in _DECIMAL.items() if p == power)

    def _binary(self) -> str:
        whole, suffix = int(self.amount), ""
        for name in _BINARY:
            if whole % 1024:
                break
            whole, suffix = whole // 1024, name
        return f"{whole}{suffix}"

    def _decimal(self) -> tuple[int, int]:
        digits, power = int(self.amount * _STEPS), -9
        if digits == 0:
            return 0, 0
        while digits % 1000 == 0 and power < 18:
            digits, power = digits // 1000, power + 3
        return digits, power


def total(quantities: Mapping[str, str | int], more: Mapping[str, str | int]) -> dict[str, str]:
    """Two resource lists added up, name by name."""
    sums = {name: Quantity.parse(text) for name, text in quantities.items()}
    for name, text in more.items():
        amount = Quantity.parse(text)
        sums[name] = sums[name] + amount if name in sums else amount
    return {name: str(amount) for name, amount in sums.items()}


def _rounded(amount: Fraction) -> Fraction:
    """To whole nanos, away from zero."""
    nanos = amount * _STEPS
    return Fraction(ceil(nanos) if nanos > 0 else -ceil(-nanos), _STEPS)


def _capped(amount: Fraction) -> Fraction:
    return max(min(amount, Fraction(_LARGEST)), Fraction(-_LARGEST))
