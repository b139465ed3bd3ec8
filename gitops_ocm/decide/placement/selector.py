"""What a placement asks of a cluster: labels, claims and expressions, of one cluster or of a whole fleet.

A selector that cannot be understood is `Misconfigured`, in apimachinery's words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gitops_ocm.decide.placement.faults import Misconfigured
from gitops_ocm.decide.placement.fleet import Bits, Fleet, claims_of
from gitops_ocm.decide.placement.judging import Allowance
from gitops_ocm.decide.placement.score_source import NO_SCORES, Scores
from gitops_ocm.decide.writes import labels_of
from gitops_ocm.objects.placements import selector_fault
from gitops_ocm.objects.selectors import Requirement, Selector

if TYPE_CHECKING:
    from gitops_ocm.decide.placement.expressions import Expressions


def requirements(selector: Mapping[str, Any] | None) -> tuple[Requirement, ...]:
    """The terms of a LabelSelector, all of which have to be met; one that is absent or empty has none."""
    selector = selector or {}
    labels = (selector.get("matchLabels") or {}).items()
    return (
        *(Requirement(key, "In", frozenset((value,))) for key, value in sorted(labels)),
        *(
            Requirement(e.get("key", ""), e.get("operator", ""), frozenset(e.get("values") or ()))
            for e in selector.get("matchExpressions") or ()
        ),
    )


@dataclass(frozen=True)
class ClusterSelector:
    """Labels, claims and expressions, all of which a cluster has to meet."""

    labels: Selector
    claims: Selector
    expressions: Expressions | None = None

    @classmethod
    def of(cls, wire: Mapping[str, Any], plugin: str, scores: Scores = NO_SCORES) -> ClusterSelector:
        """Read a `requiredClusterSelector` or `groupClusterSelector`; raises `Misconfigured`.

        Expressions may look into `scores`.
        """
        labels, claims = wire.get("labelSelector"), wire.get("claimSelector")
        if fault := selector_fault(labels) or selector_fault(claims):
            raise Misconfigured(plugin, fault)
        texts = tuple((wire.get("celSelector") or {}).get("celExpressions") or ())
        expressions = _compiled(texts, plugin, scores) if texts else None
        return cls(Selector(requirements(labels)), Selector(requirements(claims)), expressions)

    def among(self, fleet: Fleet, within: Bits, allowance: Allowance | None = None) -> Bits:
        """The clusters of `within` that meet all of it; raises `TooCostly`."""
        found = self._asked(fleet, within)
        if self.expressions is None or not found:
            return found
        return fleet.judged(found, self.expressions, allowance or Allowance())

    def exceeding(self, fleet: Fleet, within: Bits) -> Iterator[tuple[str, str]]:
        """The clusters of `within` on which its expressions cost more than they may, and why."""
        if self.expressions is not None:
            yield from fleet.exceeding(self._asked(fleet, within), self.expressions)

    def _asked(self, fleet: Fleet, within: Bits) -> Bits:
        """Those of which the expressions are asked, if there are any."""
        return within & fleet.labelled(self.labels.requirements) & fleet.claiming(self.claims.requirements)

    def matches(self, cluster: Mapping[str, Any]) -> bool:
        """Whether a cluster meets all of it."""
        return not any(self.refusals(cluster))

    def refusals(self, cluster: Mapping[str, Any]) -> Iterator[str]:
        """What of it a cluster does not meet, in the order it is looked at."""
        for what, selector, held in (
            ("label", self.labels, labels_of(cluster)),
            ("claim", self.claims, claims_of(cluster) if self.claims.requirements else {}),
        ):
            for requirement in selector.requirements:
                if not requirement.matches(held):
                    yield f"{what} {told(requirement)}: {_held(held.get(requirement.key))}"
        if self.expressions is not None:
            yield from self.expressions.refusals(cluster)


def _compiled(texts: tuple[str, ...], plugin: str, scores: Scores) -> Expressions:
    """Most placements have no expressions, and what reads them is large: it is loaded for the first."""
    from gitops_ocm.decide.placement.expressions import Expressions

    return Expressions.compile(texts, plugin, scores)


def told(requirement: Requirement) -> str:
    """A requirement as kubectl writes it: `env in (dev,prod)`."""
    key, values = requirement.key, sorted(requirement.values)
    match requirement.operator:
        case "In" if len(values) == 1:
            return f"{key}={values[0]}"
        case "Exists":
            return key
        case "DoesNotExist":
            return f"!{key}"
        case operator:
            return f"{key} {operator.lower()} ({','.join(values)})"


def _held(value: str | None) -> str:
    return "the cluster has none" if value is None else f"the cluster has {value!r}"
