"""How much of the fleet and of each set a change touches, and how much at one moment."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make
from tests.preview.merged import Files, previewed

CANARY = {"type": "Progressive", "progressive": {"maxConcurrency": 1, "minSuccessTime": "10m"}}
Change = Callable[[Files], Any]


def fleet_of(*, accepted: bool = True) -> Files:
    """Six clusters in two sets, a work for each of three, and a replica set on all."""
    files: Files = {
        f"clusters/c{number}/cluster.yaml": [
            make.managed_cluster(f"c{number}", cluster_set="eu" if number % 2 else "us")
        ]
        for number in range(1, 7)
    }
    if not accepted:
        files["clusters/c6/cluster.yaml"][0]["spec"]["hubAcceptsClient"] = False
    files["hub/fleet.yaml"] = [
        make.namespace("fleet"),
        *(item for name in ("eu", "us") for item in (make.cluster_set(name), make.binding(name, "fleet"))),
        make.placement("all", "fleet"),
    ]
    files["works/web.yaml"] = [web("web")]
    return files


def web(name: str, strategy: Object | None = None) -> Object:
    """A replica set with this content on everybody."""
    found = make.replica_set("web", "fleet", ["all"], [make.config_map(name)])
    if strategy is not None:
        found["spec"]["placementRefs"][0]["rolloutStrategy"] = strategy
    return found


def shares_of(base: Files, change: Change) -> dict[str, tuple[int, int, int]]:
    """By set: how many are touched, of how many, how many at once."""
    return {
        share.name: (share.touched, share.clusters, share.at_once) for share in previewed(base, change).shares
    }


def changed(**files: Any) -> Change:
    """A change that replaces or adds files."""

    def change(head: Files) -> None:
        head.update({path.replace("__", "/") + ".yaml": objects for path, objects in files.items()})

    return change


ONE = [make.manifest_work("one", "c1", [make.config_map("one")])]
TWO = [*ONE, make.manifest_work("two", "c2", [make.config_map("two")])]
CASES: dict[str, tuple[Change, dict[str, tuple[int, int, int]]]] = {
    "nothing": (changed(), {"": (0, 6, 0)}),
    "one work": (changed(works__one=ONE), {"": (1, 6, 1), "eu": (1, 3, 1)}),
    "two works at one merge": (changed(works__two=TWO), {"": (2, 6, 2), "eu": (1, 3, 1), "us": (1, 3, 1)}),
    "everybody at once": (
        changed(works__web=[web("other")]),
        {"": (6, 6, 6), "eu": (3, 3, 3), "us": (3, 3, 3)},
    ),
    "one after the other": (
        changed(works__web=[web("other", CANARY)]),
        {"": (6, 6, 1), "eu": (3, 3, 1), "us": (3, 3, 1)},
    ),
    "one after the other, and a work by hand beside": (
        changed(works__web=[web("other", CANARY)], works__two=TWO),
        {"": (6, 6, 2), "eu": (3, 3, 1), "us": (3, 3, 1)},
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_shares(case: str) -> None:
    """The fleet, then each set that is touched; waves count one by one."""
    change, expected = CASES[case]
    assert shares_of(fleet_of(), change) == expected


def test_who_is_not_accepted_is_not_counted() -> None:
    """A cluster that nobody let in is no part of the fleet, touched or not."""
    assert shares_of(fleet_of(accepted=False), changed(works__web=[web("other")]))[""] == (5, 5, 5)


def test_who_leaves_is_counted() -> None:
    """A cluster that leaves the fleet is touched, and of those there were."""
    found = shares_of(fleet_of(), lambda head: head.pop("clusters/c6/cluster.yaml"))
    assert found == {"": (1, 6, 1), "us": (1, 3, 1)}
