"""From what was seen to what is wrong: all themes asked, the answers ranked by causality.

Evidence ─► themes (joining, availability, connection, …) ─► findings ─► ranking ─► Diagnosis
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from gitops_ocm.decide.diagnosis import (
    addons,
    availability,
    connection,
    deletion,
    hub,
    joining,
    klusterlets,
    namespaces,
    placements,
    rollouts,
    syncs,
    works,
)
from gitops_ocm.decide.diagnosis.events import with_events
from gitops_ocm.decide.diagnosis.evidence import Evidence
from gitops_ocm.decide.diagnosis.finding import Finding
from gitops_ocm.decide.diagnosis.ranking import Group, grouped, ranked
from gitops_ocm.objects.ref import Object

THEMES: tuple[Callable[[Evidence], Iterable[Finding]], ...] = (
    hub.findings,
    klusterlets.findings,
    connection.findings,
    joining.findings,
    namespaces.findings,
    availability.findings,
    deletion.findings,
    works.findings,
    addons.findings,
    rollouts.findings,
    placements.findings,
    syncs.findings,
)


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, the most fundamental first; `unseen` is what could not be looked at, and why."""

    findings: Sequence[Finding]
    unseen: Mapping[str, str]

    @property
    def groups(self) -> list[Group]:
        """The findings by cause."""
        return grouped(self.findings)

    @property
    def healthy(self) -> bool:
        """Whether nothing was found that is not wanted so."""
        return all(group.notice for group in self.groups)

    def with_events(self, events: Iterable[Object]) -> Diagnosis:
        """The same, with what warnings say of what was found."""
        return replace(self, findings=with_events(self.findings, events))


def diagnose(evidence: Evidence, unseen: Mapping[str, str] | None = None) -> Diagnosis:
    """Every cause that the evidence shows."""
    found = [finding for theme in THEMES for finding in theme(evidence)]
    found += hub.absent_controllers(evidence, found)
    return Diagnosis(ranked(found), dict(unseen or {}))
