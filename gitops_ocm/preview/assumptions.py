"""What a preview assumes of clusters: who fails, who is down, who has which label, how long it takes.

Words of the command line become values here, and are held against the clusters there are. How a cluster
that is assumed something about behaves is `agents`'.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from gitops_ocm.api.cluster import CLUSTER_SET_LABEL
from gitops_ocm.decide.cluster_sets import is_member
from gitops_ocm.decide.contract import MergePatch
from gitops_ocm.decide.kinds import cluster_ref
from gitops_ocm.decide.writes import labels_of, name_of
from gitops_ocm.errors import GitopsError
from gitops_ocm.objects.names import key_problems, label_value_problems
from gitops_ocm.objects.patch import merge_patch
from gitops_ocm.objects.ref import Object

SET, LABEL = "set", "label"
_SYNTAX = "write CLUSTER:KEY=VALUE, or CLUSTER:KEY- to take it away"


@dataclass(frozen=True)
class Assumptions:
    """How clusters are taken to behave: `failing` ones apply what they are given, and it goes bad; those that
    are `down` do not answer; all others are done after `takes` seconds.

    Clusters are given by name, as `set=NAME` or as `label=KEY=VALUE`; `resolved` makes names of them.
    `labels` are put on clusters with the change, or taken away: `c1:env=prod`, `set=eu:env-`.
    """

    failing: tuple[str, ...] = ()
    down: tuple[str, ...] = ()
    takes: float = 0.0
    labels: tuple[str, ...] = ()

    def resolved(self, clusters: Iterable[Object], sets: Iterable[Object] = ()) -> Assumptions:
        """The same by name, in the order assumed: labels first, for the others may go by them.

        Raises `NoSuchCluster` for what names none of these, `NoLabel` for what is none.
        """
        fleet = _Fleet({name_of(c): c for c in clusters}, {name_of(s): s for s in sets})
        labels = tuple(label for word in self.labels for label in fleet.relabelled(word))
        return replace(
            self,
            failing=tuple(name for word in self.failing for name in fleet.named(word)),
            down=tuple(name for word in self.down for name in fleet.named(word)),
            labels=labels,
        )

    def relabelling(self) -> Iterator[MergePatch]:
        """What puts the labels on; to be asked once they are resolved."""
        for word in self.labels:
            name, key, value = _label(word)
            yield MergePatch(cluster_ref(name), {"metadata": {"labels": {key: value}}})

    def __str__(self) -> str:
        parts = [f"labels {', '.join(self.labels)}"] if self.labels else []
        parts += [
            f"{', '.join(names)} {what}"
            for names, what in ((self.failing, "fail"), (self.down, "are down"))
            if names
        ]
        after = f"after {self.takes:g} s" if self.takes else "at once"
        others = "all others" if self.failing or self.down else "all clusters"
        return "; ".join([*parts, f"{others} apply what they are given {after}, and it goes well"])


class NoSuchCluster(GitopsError):
    """An assumption about clusters that there are none of."""

    code = "no-such-cluster"


class NoLabel(GitopsError):
    """An assumption about a label that cannot be one."""

    code = "no-such-label"


def _label(word: str) -> tuple[str, str, str | None]:
    """Whom, the label's key, and its value; None: it is taken away."""
    whom, _, label = word.partition(":")
    key, between, value = label.partition("=")
    gone = not between and key.endswith("-")
    key = key.removesuffix("-") if gone else key
    if not whom or not (between or gone):
        raise NoLabel(f"{word!r} does not say who has which label", hint=_SYNTAX)
    problems = [*key_problems(key), *([] if gone else label_value_problems(value))]
    if problems:
        raise NoLabel(f"{word!r} is no label: {problems[0]}", hint=_SYNTAX)
    return whom, key, None if gone else value


class _Fleet:
    """The clusters that words are about, with the labels they are assumed to have."""

    def __init__(self, clusters: dict[str, Object], sets: Mapping[str, Object]) -> None:
        self._clusters = clusters
        self._sets = sets

    def named(self, word: str) -> list[str]:
        """The clusters a word is about, sorted."""
        first, between, rest = word.partition("=")
        if not between:
            found = [word] if word in self._clusters else []
        elif first == SET:
            found = [name for name, cluster in self._clusters.items() if self._is_in(rest, cluster)]
        else:
            key, _, value = (rest if first == LABEL else word).partition("=")
            found = [name for name, c in self._clusters.items() if labels_of(c).get(key) == value]
        if not found:
            raise NoSuchCluster(
                f"{word!r} is none of the fleet's clusters", hint="give a name, set=NAME or label=KEY=VALUE"
            )
        return sorted(found)

    def relabelled(self, word: str) -> Iterator[str]:
        """The word for each cluster it is about, which has the label from now on."""
        whom, key, value = _label(word)
        for name in self.named(whom):
            cluster = self._clusters[name]
            self._clusters[name] = merge_patch(cluster, {"metadata": {"labels": {key: value}}})
            yield f"{name}:{key}-" if value is None else f"{name}:{key}={value}"

    def _is_in(self, name: str, cluster: Object) -> bool:
        found = self._sets.get(name)
        return is_member(found, cluster) if found else labels_of(cluster).get(CLUSTER_SET_LABEL) == name
