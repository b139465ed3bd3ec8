"""What rules are asked about: a preview, and what both of its commits want."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.changes import Reason
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.preview.model import Act, Effect, Preview

GLOBAL_SET = "global"
"""OCM's set of all clusters: to touch it says nothing."""
_NAMES = 5


@dataclass(frozen=True)
class Finding:
    """What a rule says: whether it lets the change pass, and why; `until` as of a `Ruling`."""

    passes: bool
    message: str
    until: datetime | None = None


@dataclass(frozen=True)
class Case:
    """A change, before its policy."""

    found: Preview
    base: DesiredState
    head: DesiredState

    @cached_property
    def before(self) -> Mapping[Ref, Wanted]:
        """What Git wanted."""
        return {item.ref: item for item in self.base.objects}

    @cached_property
    def after(self) -> Mapping[Ref, Wanted]:
        """What it wants now."""
        return {item.ref: item for item in self.head.objects}

    @cached_property
    def deletions(self) -> tuple[Effect, ...]:
        """Objects of Git that are to go, also those that the sync's prune guard would hold back."""
        return tuple(e for e in self.found.effects if e.act is Act.DELETE or _held_back(e))

    @cached_property
    def touched_sets(self) -> frozenset[str]:
        """Cluster sets of which a cluster is touched."""
        named = {share.name for share in self.found.shares if share.name and share.touched}
        return frozenset(named - {GLOBAL_SET})

    def all_deletions(self) -> Iterator[Effect]:
        """These, and what clusters lose: works, add-ons, themselves."""
        yield from self.deletions
        known = {effect.ref for effect in self.deletions}
        for cluster in self.found.clusters:
            yield from (e for e in cluster.effects if e.act is Act.DELETE and e.ref not in known)


def named(ref: Ref) -> str:
    """`ConfigMap shop/settings`."""
    return f"{ref.kind} {ref.namespace + '/' if ref.namespace else ''}{ref.name}"


def listed(names: list[str]) -> str:
    """`a, b and 3 more`."""
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more


def _held_back(effect: Effect) -> bool:
    return effect.act is Act.KEEP and effect.why == Reason.PRUNE_GUARDED.value
