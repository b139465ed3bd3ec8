"""What add-ons are effectively configured with on each cluster, then and now, and where each value is from.

A cluster has what its add-on's status says is desired there: a rollout that has not reached it leaves it with
what it had, so that is what is told. Only values that change are. Of the thousands of clusters that go from
one configuration to another the difference is found once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from gitops_ocm.api.cluster import IMAGE_REGISTRIES_ANNOTATION
from gitops_ocm.decide.addons.assignment import Member, Source
from gitops_ocm.decide.addons.config_objects import KINDS, spec_hash
from gitops_ocm.decide.addons.configuration import sources_of
from gitops_ocm.decide.addons.images import registries_of_cluster
from gitops_ocm.decide.addons.install import cma_ref
from gitops_ocm.decide.addons.references import Config, desired_in
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.kinds import ADDON_TEMPLATE, CLUSTER_ADDON, DEPLOYMENT_CONFIG, cluster_ref
from gitops_ocm.decide.writes import annotations_of, is_deleting, name_of, status_of
from gitops_ocm.errors import Location
from gitops_ocm.objects.paths import Step
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.objects.reviewed import differing
from gitops_ocm.preview.addon_settings import OWN, level_of, settings_in
from gitops_ocm.preview.hub import Hub, Moment
from gitops_ocm.preview.model import NOWHERE, AddOnConfig, Value
from gitops_ocm.preview.origins import Origins, Side

TEMPLATE, REGISTRIES = "template", "registries"


def addon_configs(hub: Hub, origins: Origins) -> Mapping[str, tuple[AddOnConfig, ...]]:
    """By cluster, the add-ons whose configuration changes there."""
    found: dict[str, list[AddOnConfig]] = {}
    look = _Look(hub, origins)
    for obj in hub.after.by_kind.get(CLUSTER_ADDON, ()):
        cluster, addon = obj["metadata"]["namespace"], name_of(obj)
        if look.may_differ(cluster, addon, obj) and (values := look.values(cluster, addon, obj)):
            found.setdefault(cluster, []).append(AddOnConfig(addon, values))
    return {cluster: tuple(configs) for cluster, configs in found.items()}


@dataclass(frozen=True)
class _Given:
    """One configuration that a cluster has: its content, if it is known, and who chose it."""

    config: Config
    level: str
    content: Object | None
    fresh: bool
    """Whether the content is the head commit's."""


@dataclass(frozen=True)
class _Told:
    """One value of one side."""

    ref: Ref
    level: str
    value: Any
    steps: tuple[Step, ...] = ()
    fresh: bool = True


class _Side:
    """The add-ons of one moment: what each cluster's is given, and by whom."""

    def __init__(self, moment: Moment) -> None:
        self.moment = moment
        self._members = cache(self._members_of)

    def level(self, addon: str, cluster: str, config: Config) -> str:
        """Who chose a configuration."""
        found = self._members(addon).get(cluster)
        return level_of(*found, config) if found is not None else ""

    def _members_of(self, addon: str) -> Mapping[str, tuple[Source, Member]]:
        live = self.moment.objects.get(cma_ref(addon))
        if live is None or is_deleting(live):
            return {}
        addons = self.moment.addons.get(addon, ())
        sources = sources_of(
            self.moment.view, at_beta(live), addons, self.moment.at, compat=self.moment.compat
        )
        return {cluster: (s, member) for s in sources for cluster, member in s.members.items()}


class _Look:
    """Both moments, held against each other."""

    def __init__(self, hub: Hub, origins: Origins) -> None:
        self._hub, self._origins = hub, origins
        self._before, self._after = _Side(hub.before), _Side(hub.after)
        self._hash = cache(self._hash_of)
        self._known: dict[object, tuple[Value, ...]] = {}

    @cached_property
    def _edited(self) -> frozenset[Ref]:
        """The configurations that are not what they were."""
        kinds = set(KINDS.values())
        return frozenset(ref for ref in self._hub.changed if ref.of in kinds)

    def may_differ(self, cluster: str, addon: str, obj: Object) -> bool:
        """Whether it is worth looking: the add-on is another, or what it is configured with is."""
        if is_deleting(obj):
            return False
        old = self._hub.before.objects.get(Ref(*CLUSTER_ADDON, cluster, addon))
        if old is None or _references(old) != _references(obj):
            return True
        if self._registries(self._hub.before, cluster) != self._registries(self._hub.after, cluster):
            return True
        return any(_ref(config) in self._edited for config, _ in _references(obj))

    def _registries(self, moment: Moment, cluster: str) -> str:
        found = moment.clusters.get(cluster)
        return annotations_of(found).get(IMAGE_REGISTRIES_ANNOTATION, "") if found is not None else ""

    def values(self, cluster: str, addon: str, obj: Object) -> tuple[Value, ...]:
        """The values that change."""
        old = self._hub.before.objects.get(Ref(*CLUSTER_ADDON, cluster, addon))
        before = self._given(self._before, addon, cluster, old) if old is not None else ()
        after = self._given(self._after, addon, cluster, obj)
        mirrors = [self._registries(m, cluster) for m in (self._hub.before, self._hub.after)]
        key = (_key(before), _key(after), *(mirrors if any(mirrors) else ()), cluster if any(mirrors) else "")
        if key not in self._known:
            was = dict(self._told(before, self._hub.before, cluster)) if old is not None else {}
            now = dict(self._told(after, self._hub.after, cluster))
            self._known[key] = tuple(self._compared(was, now))
        return self._known[key]

    def _given(self, side: _Side, addon: str, cluster: str, obj: Object) -> tuple[_Given, ...]:
        """The first configuration of each kind: more than one of a kind is not looked at."""
        found: dict[tuple[str, str], _Given] = {}
        for config, digest in _references(obj):
            if config.kind not in found:
                level = side.level(addon, cluster, config)
                if not level and side is self._after:
                    level = self._before.level(addon, cluster, config)
                content, fresh = self._content(side, config, digest)
                found[config.kind] = _Given(config, level, content, fresh)
        return tuple(found.values())

    def _content(self, side: _Side, config: Config, digest: str) -> tuple[Object | None, bool]:
        """What a configuration says to a cluster that was given it with this hash: the old, or the new."""
        ref = _ref(config)
        old, new = (m.objects.get(ref) if ref else None for m in (self._hub.before, self._hub.after))
        if side is self._before:
            return old, False
        if old is not None and digest and self._hash(ref, False) == digest:
            return (new, True) if new is not None and self._hash(ref, True) == digest else (old, False)
        return new, True

    def _hash_of(self, ref: Ref, fresh: bool) -> str:
        obj = (self._hub.after if fresh else self._hub.before).objects.get(ref)
        return spec_hash(obj) if obj is not None else ""

    def _told(
        self, given: Sequence[_Given], moment: Moment, cluster: str
    ) -> Iterator[tuple[tuple[str, str], _Told]]:
        """Each value by the kind of configuration and its path."""
        mirrored = False
        for each in given:
            ref, kind = _ref(each.config) or _foreign(each.config), each.config.resource
            if ref.of != DEPLOYMENT_CONFIG or each.content is None:
                path = TEMPLATE if ref.of == ADDON_TEMPLATE else kind
                name = "/".join(filter(None, (ref.namespace, ref.name)))
                yield (kind, path), _Told(ref, each.level, name, fresh=each.fresh)
                continue
            for setting in settings_in(each.content):
                mirrored = mirrored or setting.path.startswith(REGISTRIES)
                told = _Told(ref, each.level, setting.value, setting.steps, each.fresh)
                yield (kind, setting.path), told
        if not mirrored and (registries := _registries_told(moment, cluster)):
            ref, at = cluster_ref(cluster), ("metadata", "annotations", IMAGE_REGISTRIES_ANNOTATION)
            yield ("", REGISTRIES), _Told(ref, OWN, registries, at, moment is self._hub.after)

    def _compared(
        self, before: Mapping[tuple[str, str], _Told], after: Mapping[tuple[str, str], _Told]
    ) -> Iterator[Value]:
        for key in [*after, *(key for key in before if key not in after)]:
            was, now = before.get(key), after.get(key)
            there = now or was
            assert there is not None
            for old, new in _masked(key[1], was, now):
                yield Value(
                    there.ref,
                    key[1],
                    old,
                    new,
                    was.level if was else "",
                    now.level if now else "",
                    self._where(was) if was else NOWHERE,
                    self._where(now) if now else NOWHERE,
                )

    def _where(self, told: _Told) -> Location:
        side: Side = self._origins.head if told.fresh else self._origins.base
        return side.of(told.ref, *told.steps)


def _masked(path: str, before: _Told | None, after: _Told | None) -> Iterator[tuple[Any, Any]]:
    """Both sides of a value that changes, as they may be shown."""
    step = path.rpartition(".")[2]
    variable = step.endswith("]") and "[" in step
    field = "value" if variable else step
    name = {"name": step[step.index("[") + 1 : -1]} if variable else {}
    old, new = ({**name, **({field: told.value} if told else {})} for told in (before, after))
    return ((found.before, found.after) for found in differing(old, new)) if old != new else iter(())


def _references(addon: Object) -> list[tuple[Config, str]]:
    """The configurations that an add-on is told to have, and the hash of each."""
    told = status_of(at_beta(addon)).get("configReferences") or ()
    found = ((desired_in(each), each) for each in told)
    return [(c, str(each["desiredConfig"].get("specHash") or "")) for c, each in found if c is not None]


def _key(given: Sequence[_Given]) -> object:
    return tuple((each.config, each.level, each.fresh, id(each.content)) for each in given)


def _ref(config: Config) -> Ref | None:
    """The object, where its kind is one that is read here."""
    kind = KINDS.get(config.kind)
    return Ref(*kind, config.namespace, config.name) if kind is not None else None


def _foreign(config: Config) -> Ref:
    """A configuration whose kind only its own add-on knows: called by its resource."""
    return Ref(config.group, config.resource, config.namespace, config.name)


def _registries_told(moment: Moment, cluster: str) -> Any:
    """What a cluster's own annotation says of registries; what cannot be read is as good as none."""
    found = moment.clusters.get(cluster)
    try:
        return [*registries_of_cluster(annotations_of(found))] if found is not None else []
    except ValueError:
        return []
