"""What is in works before a change and after it, by whose they are: for checks of manifests.

A replica set's works are all alike: what is in them is read once, from its template, and what changes is one
`Work` for all its clusters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from gitops_ocm.decide.kinds import MANAGED_CLUSTER, MANIFEST_WORK, REPLICA_SET
from gitops_ocm.decide.writes import is_deleting
from gitops_ocm.errors import Location
from gitops_ocm.objects.ref import Object, Ref, ref_of
from gitops_ocm.preview.hub import Moment
from gitops_ocm.preview.model import Act, Effect
from gitops_ocm.preview.on_clusters import UNTOLD, owner_of
from gitops_ocm.preview.warnings.case import Case, on

Manifests = Mapping[Ref, Object]


@dataclass
class Work:
    """What an owner's works held and hold on some clusters; `option` is what says who is orphaned."""

    owner: Ref
    origin: Location
    before: Manifests
    after: Manifests
    option: Object
    clusters: list[str]

    @property
    def new(self) -> set[Ref]:
        """What was not there before."""
        return {*self.after} - {*self.before}


class Contents:
    """What is in works, before and after; looked up once for each replica set."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self._templates: dict[tuple[bool, Ref], Manifests] = {}
        self._held: dict[tuple[bool, str], Sequence[tuple[Ref, Manifests]]] = {}

    def of(self, ref: Ref, owner: Ref | None, *, fresh: bool) -> tuple[Object, Manifests]:
        """A work's spec, or that of its replica set's template, and what is in it."""
        moment = self._moment(fresh)
        if owner is None or owner.of != REPLICA_SET:
            spec = (moment.objects.get(ref) or {}).get("spec") or {}
            return spec, manifests_in(spec)
        spec = ((moment.objects.get(owner) or {}).get("spec") or {}).get("manifestWorkTemplate") or {}
        if (fresh, owner) not in self._templates:
            self._templates[fresh, owner] = manifests_in(spec)
        return spec, self._templates[fresh, owner]

    def _moment(self, fresh: bool) -> Moment:
        return self._case.hub.after if fresh else self._case.hub.before

    @cached_property
    def before(self) -> Mapping[str, Sequence[Object]]:
        """The works of each cluster."""
        return on(self._case.hub.before, MANIFEST_WORK)

    @cached_property
    def after(self) -> Mapping[str, Sequence[Object]]:
        """The same, after the change."""
        return on(self._case.hub.after, MANIFEST_WORK)

    def held(self, cluster: str, *, fresh: bool) -> Sequence[tuple[Ref, Manifests]]:
        """Whose works are on a cluster, and what they hold."""
        if (fresh, cluster) not in self._held:
            works = (self.after if fresh else self.before).get(cluster, ())
            self._held[fresh, cluster] = [
                self._holding(work, fresh) for work in works if not is_deleting(work)
            ]
        return self._held[fresh, cluster]

    def _holding(self, work: Object, fresh: bool) -> tuple[Ref, Manifests]:
        ref = ref_of(work)
        owner = owner_of(work, ref)
        return owner or ref, self.of(ref, owner, fresh=fresh)[1]


def manifests_in(spec: Mapping[str, Any]) -> Manifests:
    """What a work's spec holds."""
    found = (spec.get("workload") or {}).get("manifests") or ()
    return {ref_of(m): m for m in found if isinstance(m, dict) and (m.get("metadata") or {}).get("name")}


def changed_works(case: Case, contents: Contents) -> Iterator[Work]:
    """What changes in works, those of a replica set together; not those of clusters that leave."""
    together: dict[tuple[Ref, Act], Work] = {}
    for cluster in case.preview.clusters:
        if any(e.ref.of == MANAGED_CLUSTER and e.act is Act.DELETE for e in cluster.effects):
            continue
        for effect in cluster.effects:
            if effect.ref.of != MANIFEST_WORK or effect.why == UNTOLD:
                continue
            owner = effect.owner or effect.ref
            alike = owner.of == REPLICA_SET
            if alike and (owner, effect.act) in together:
                together[owner, effect.act].clusters.append(cluster.name)
                continue
            work = _work(contents, effect, owner, cluster.name)
            if alike:
                together[owner, effect.act] = work
            else:
                yield work
    yield from together.values()


def _work(contents: Contents, effect: Effect, owner: Ref, cluster: str) -> Work:
    option, before = contents.of(effect.ref, effect.owner, fresh=False)
    now, after = contents.of(effect.ref, effect.owner, fresh=True)
    return Work(
        owner,
        effect.origin,
        {} if effect.act is Act.CREATE else before,
        {} if effect.act is Act.DELETE else after,
        {"spec": option if effect.act is Act.DELETE else now},
        [cluster],
    )
