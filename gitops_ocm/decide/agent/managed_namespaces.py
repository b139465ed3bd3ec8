"""Keeps the namespaces that cluster sets want on each of their clusters; none is ever deleted.

The hub lists them in the ManagedCluster's status. A label says, per hub, whether a namespace is wanted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gitops_ocm.api.cluster import HUB_ACCEPTED
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.api.registration import (
    NAMESPACE_APPLIED,
    NAMESPACE_NOT_APPLIED,
    NAMESPACE_SET_LABEL_PREFIX,
)
from gitops_ocm.decide.contract import DONE, Apply, Outcome, Result, Side, View
from gitops_ocm.decide.kinds import NAMESPACE
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.decide.writes import after_failure, errors, is_deleting, labels_of, name_of, report, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref

_LABEL_LENGTH = 63
WANTED, DROPPED = "true", "false"


@dataclass(frozen=True)
class ManagedNamespaces:
    """Makes the namespaces and reports on each."""

    settings: AgentSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile the agent's own ManagedCluster."""
        cluster = view.get(key)
        if cluster is None or is_deleting(cluster) or not conditions.is_true(cluster, HUB_ACCEPTED):
            return DONE
        listed = status_of(cluster).get("managedNamespaces") or []
        names = sorted({str(entry["name"]) for entry in listed})
        writes = [*self._wanted(view, names), *self._dropped(view, names)]

        def tried(results: Sequence[Result]) -> Outcome:
            failed = {name_of(r.write.obj): r.error.message for r in results if _failed(r)}  # type: ignore[union-attr]
            said = report(cluster, {"managedNamespaces": _reported(listed, failed, now)}) if listed else ()
            faults = errors(results)
            if not faults:
                return Outcome(said)
            return Outcome(said, then=lambda _: after_failure(faults))

        if not writes:
            return tried(())
        return Outcome(tuple(writes), then=tried, keep_going=True)

    @property
    def _label(self) -> str:
        return NAMESPACE_SET_LABEL_PREFIX + self.settings.hub_hash[:_LABEL_LENGTH]

    def _wanted(self, view: View, names: Sequence[str]) -> list[Apply]:
        live = {name: view.get(Ref(*NAMESPACE, "", name), Side.SPOKE) for name in names}
        return [
            self._marked(name, WANTED)
            for name, found in live.items()
            if found is None or labels_of(found).get(self._label) != WANTED
        ]

    def _dropped(self, view: View, names: Sequence[str]) -> list[Apply]:
        marked = view.list(NAMESPACE, labels={self._label: WANTED}, side=Side.SPOKE)
        return [self._marked(name_of(found), DROPPED) for found in marked if name_of(found) not in names]

    def _marked(self, name: str, mark: str) -> Apply:
        meta = {"name": name, "labels": {self._label: mark}}
        return Apply({"apiVersion": "v1", "kind": NAMESPACE.kind, "metadata": meta}, Side.SPOKE)


def _failed(result: Result) -> bool:
    return isinstance(result.write, Apply) and result.error is not None


def _reported(listed: Sequence[Object], failed: dict[str, str], now: datetime) -> list[Object]:
    """The entries with their condition."""

    def condition(name: str) -> KnownCondition:
        return NAMESPACE_NOT_APPLIED.saying(error=failed[name]) if name in failed else NAMESPACE_APPLIED

    return [
        {
            **entry,
            "conditions": conditions.with_condition(
                entry.get("conditions"), **condition(entry["name"])._asdict(), now=now
            ),
        }
        for entry in listed
    ]
