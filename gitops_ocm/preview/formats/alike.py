"""What many clusters have in common, said once: a fleet is read by what is done, not cluster by cluster.

Only equal things are put together; nothing is judged.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from typing import NamedTuple, TypeVar

from gitops_ocm.objects.diff import Difference
from gitops_ocm.preview.formats.words import SIGNS, few, name_of, number_of, path_of, place, visible
from gitops_ocm.preview.model import AddOnConfig, Effect, OnCluster, Selection, Turn, Value

T = TypeVar("T")


class Given(NamedTuple):
    """The same change on some clusters. `effect` is the first one's."""

    effect: Effect
    clusters: tuple[str, ...]

    @property
    def title(self) -> str:
        """`~ ManifestWork of fleet/web`, `+ ManagedClusterAddOn helloworld`."""
        return f"{SIGNS[self.effect.act]} {what_of(self.effect)}"


class Configured(NamedTuple):
    """The same change of an add-on's effective configuration on some clusters."""

    config: AddOnConfig
    clusters: tuple[str, ...]


class Chosen(NamedTuple):
    """Values of one configuration object, as somebody chose it: `title` says which, and who."""

    title: str
    values: tuple[Value, ...]


class Turned(NamedTuple):
    """Clusters that a placement takes, or lets go, for one reason; `cause` as `path:line`, if it is one."""

    gained: bool
    why: str
    clusters: tuple[str, ...]
    cause: str = ""


def what_of(effect: Effect) -> str:
    """What one cluster is given. A replica set's works are named for it: their own names say nothing."""
    ref, owner = effect.ref, effect.owner
    if owner is not None and owner.name != ref.name:
        return f"{ref.kind} of {path_of(owner)}"
    return f"{ref.kind} {ref.name}" if ref.namespace else ref.kind


def given(clusters: Iterable[OnCluster]) -> list[Given]:
    """What clusters are given, in the order of the first that is; the same things once."""
    pairs = [(effect, cluster.name) for cluster in clusters for effect in cluster.effects]
    groups = _grouped(pairs, lambda pair: _effect_key(pair[0]))
    return [Given(group[0][0], tuple(name for _, name in group)) for group in groups]


def configured(clusters: Iterable[OnCluster]) -> list[Configured]:
    """Add-ons whose effective configuration changes, the same changes once."""
    pairs = [(config, cluster.name) for cluster in clusters for config in cluster.configs]
    groups = _grouped(pairs, lambda pair: (pair[0].addon, tuple(map(_value_key, pair[0].values))))
    return [Configured(group[0][0], tuple(name for _, name in group)) for group in groups]


def chosen(config: AddOnConfig) -> list[Chosen]:
    """The values that change, by the object they are of and who chose that."""
    groups = _grouped(config.values, lambda value: (value.config, value.level_before, value.level_after))
    return [Chosen(_chosen(group[0]), tuple(group)) for group in groups]


def _chosen(value: Value) -> str:
    levels = dict.fromkeys(level for level in (value.level_before, value.level_after) if level)
    return "  ".join((name_of(value.config), visible(" → ".join(levels)))).rstrip()


def turned(selection: Selection) -> list[Turned]:
    """Why clusters come and go, the same reasons once; who has none told is named all the same."""
    groups = _grouped(selection.turns, lambda turn: (turn.gained, turn.why))
    found = [
        Turned(
            group[0].gained,
            group[0].why,
            tuple(turn.cluster for turn in group),
            _causes(group),
        )
        for group in groups
    ]
    told = {turn.cluster for turn in selection.turns}
    for gained, names in ((True, selection.gained), (False, selection.lost)):
        if rest := tuple(name for name in names if name not in told):
            found.append(Turned(gained, "", rest))
    return sorted(found, key=lambda turn: not turn.gained)


def _causes(turns: Sequence[Turn]) -> str:
    places = list(dict.fromkeys(visible(place(turn.cause)) for turn in turns if turn.cause.path))
    return few(places, 1)


def is_told(gift: Given, effects: Iterable[Effect]) -> bool:
    """Whether what is changed there is exactly what is changed of its owner, where all can read it."""
    owner, fields = gift.effect.owner, gift.effect.fields
    changed = next((effect.fields for effect in effects if effect.ref == owner), ())
    if owner is None or not fields:
        return False
    known = {(field.path, repr(field.before), repr(field.after)) for field in changed}
    template = "spec.manifestWorkTemplate"
    return all(
        (field.path.replace("spec", template, 1), repr(field.before), repr(field.after)) in known
        for field in fields
    )


def names_of(clusters: Sequence[str], most: int = 6) -> str:
    """`c1`, `c1, c2`, `1,000 clusters: c1, c2 and 998 more`."""
    names = few(clusters, most)
    return names if len(clusters) <= most else f"{number_of(len(clusters), 'cluster')}: {names}"


def _grouped(items: Iterable[T], key: Callable[[T], Hashable]) -> list[list[T]]:
    groups: dict[Hashable, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return list(groups.values())


def _effect_key(effect: Effect) -> Hashable:
    ref = effect.ref
    name = ref.name if ref.namespace else ""
    return ref.of, effect.owner or name, effect.act, tuple(map(_field_key, effect.fields)), effect.why


def _field_key(field: Difference) -> Hashable:
    # Values may be maps and lists, which have no hash.
    return field.path, repr(field.before), repr(field.after)


def _value_key(value: Value) -> Hashable:
    return (
        value.config,
        value.path,
        repr((value.before, value.after)),
        (value.level_before, value.level_after),
        (value.origin_before, value.origin_after),
    )
