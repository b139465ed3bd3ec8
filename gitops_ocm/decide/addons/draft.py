"""What one reconcile of an add-on's deployment comes to: works, finalizers, and what the status says.

The parts of a deployment (`deploy`, `hosted`, `hooks`) add to it; nothing is written here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from gitops_ocm.api.addon_words import (
    MANIFESTS_APPLIED,
    MANIFESTS_NOT_APPLIED,
    NO_MANIFESTS,
    WORK_APPLY_FAILED,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.work import APPLIED
from gitops_ocm.decide.addons.agent import Agent, AgentFailed, Told, hosting_cluster
from gitops_ocm.decide.addons.deploy_works import Side
from gitops_ocm.decide.addons.standing_works import held_elsewhere, works_of
from gitops_ocm.decide.contract import Apply, View, Write
from gitops_ocm.decide.writes import conditions_of, delete, is_deleting, locked_patch, namespace_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ref import Object, ref_of

_OPTIONAL = ("deleteOption", "executor", "manifestConfigs")
_DEPRECATED = frozenset(
    f"cluster.open-cluster-management.io/{name}"
    for name in ("hosting-manifests-cleanup", "addon-pre-delete", "hosting-addon-pre-delete")
)
"""Finalizers of earlier versions, taken off with any of today's."""
Failures = Mapping[int, str]
"""What went wrong, by the identity of the write."""


@dataclass
class Part:
    """The works of one side and the condition that tells of them."""

    draft: Draft
    side: Side
    condition: str
    wanted: list[Object] = field(default_factory=list)
    told: list[KnownCondition] = field(default_factory=list)

    def failed(self, why: str) -> None:
        """There are no works, for this reason."""
        self.told.append(KnownCondition(self.condition, "False", WORK_APPLY_FAILED.reason, why))

    def nothing(self) -> None:
        """There is nothing to apply."""
        self.told.append(NO_MANIFESTS._replace(type=self.condition))

    def plan(self, wanted: Iterable[Object], gone: Iterable[Object]) -> None:
        """These works are to be, and those no longer."""
        self.wanted += wanted
        self.draft.deletions += [write for work in gone for write in delete(work)]


@dataclass
class Draft:
    """What has been decided so far about one add-on (at v1beta1)."""

    view: View
    addon: Object
    objects: Sequence[Object] | AgentFailed
    parts: list[Part] = field(default_factory=list)
    deletions: list[Write] = field(default_factory=list)
    conditions: list[KnownCondition] = field(default_factory=list)
    fields: Object = field(default_factory=dict)
    finalizers: list[str] = field(init=False)
    _writes: dict[tuple[str, str], list[Write]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.finalizers = list(self.addon["metadata"].get("finalizers") or ())

    def part(self, side: Side, condition: str) -> Part:
        """A new part."""
        self.parts.append(Part(self, side, condition))
        return self.parts[-1]

    # Finalizers

    def has_finalizer(self, name: str) -> bool:
        """Whether the add-on has it now."""
        return name in (self.addon["metadata"].get("finalizers") or ())

    def hold(self, name: str) -> bool:
        """Have a finalizer; tells whether it has to be put there first."""
        if name in self.finalizers or is_deleting(self.addon):
            return False
        self.finalizers = [f for f in self.finalizers if f not in _DEPRECATED] + [name]
        return True

    def release(self, name: str) -> None:
        """Have it no longer."""
        if name in self.finalizers:
            self.finalizers = [f for f in self.finalizers if f != name and f not in _DEPRECATED]

    def finalizer_writes(self, live: Object) -> tuple[Write, ...]:
        """The write that puts finalizers on and takes them off, after the deletions that led there."""
        if self.finalizers == list(self.addon["metadata"].get("finalizers") or ()):
            return ()
        return *self.deletions, locked_patch(live, {"metadata": {"finalizers": self.finalizers or None}})

    # Health

    def judge(self, agent: Agent) -> None:
        """Say how the agent is."""
        hosted = agent.hosts and hosting_cluster(self.addon) is not None
        own = Side(self.addon, namespace_of(self.addon))
        works = held_elsewhere(self.view, self.addon, of_hooks=False) if hosted else works_of(self.view, own)
        if isinstance(self.objects, AgentFailed):
            if works:
                return  # What the manifests were nobody can say.
            judged = agent.probe.judge(self._applied(), [], works)
        else:
            judged = agent.probe.judge(self._applied(), self.objects, works)
        if judged is not None:
            self.conditions.append(judged)

    def _applied(self) -> Object:
        """The add-on with the conditions that this draft is about to set."""
        told = [c._asdict() for part in self.parts for c in part.told]
        status = {**(self.addon.get("status") or {}), "conditions": [*conditions_of(self.addon), *told]}
        return {**self.addon, "status": status}

    # What it comes to

    def writes(self) -> list[Write]:
        """The writes of works."""
        for part in self.parts:
            for work in part.wanted:
                self._writes[_place(work)] = bring(self.view, work)
        return [*self.deletions, *(write for writes in self._writes.values() for write in writes)]

    def told(self, failures: Failures) -> Told:
        """What the status says, given the writes that failed."""
        said: dict[str, KnownCondition] = {}
        dropped: set[str] = set()
        for part in self.parts:
            found, outdated = self._settled(part, failures)
            if found is not None:
                said[part.condition] = found
            elif outdated:
                dropped.add(part.condition)
        said |= {told.type: told for told in self.conditions}
        return Told(tuple(said.values()), frozenset(dropped), self.fields)

    def _settled(self, part: Part, failures: Failures) -> tuple[KnownCondition | None, bool]:
        """What is said of one side, and whether what was said before has to go.

        The last work that has been reported on counts. What was wrong before a work was written anew is out
        of date, until the agent says something.
        """
        said = part.told[-1] if part.told else None
        held = conditions.find(conditions_of(self.addon), part.condition) or {}
        status = said.status if said is not None else held.get("status")
        outdated = False
        for work in part.wanted:
            found = self._outcome(part.condition, work, failures)
            if found is not None:
                said, status, outdated = found, found.status, False
            elif status == "False":
                said, status, outdated = None, None, True
        return said, outdated

    def _outcome(self, condition: str, work: Object, failures: Failures) -> KnownCondition | None:
        for write in self._writes.get(_place(work), ()):
            if id(write) in failures:
                return WORK_APPLY_FAILED.saying(error=failures[id(write)])._replace(type=condition)
        live = self.view.get(ref_of(work))
        applied = conditions.find(conditions_of(live), APPLIED) if live is not None else None
        if applied is None:
            return None
        good = applied.get("status") == "True"
        return (MANIFESTS_APPLIED if good else MANIFESTS_NOT_APPLIED)._replace(type=condition)


def _place(work: Object) -> tuple[str, str]:
    return str(work["metadata"]["namespace"]), str(work["metadata"]["name"])


def bring(view: View, work: Object) -> list[Write]:
    """The writes that make a work what it is to be.

    Manifests are compared exactly: a field that a manifest no longer has must go. Options that somebody
    else once set, and that are wanted no more, are taken away.
    """
    live = view.get(ref_of(work))
    if live is None:
        return [Apply(work)]
    if is_deleting(live):
        return []
    spec, have = work["spec"], live.get("spec") or {}
    surplus = {name: None for name in _OPTIONAL if name in have and name not in spec}
    manifests = (have.get("workload") or {}).get("manifests") or []
    same = manifests == spec["workload"]["manifests"] and covers(work, live)
    writes: list[Write] = [locked_patch(live, {"spec": surplus})] if surplus else []
    return writes if same or surplus else [Apply(work)]
