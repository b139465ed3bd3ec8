"""Outages that other engines became known for: here the commit is refused, or nothing is lost.

The path that was renamed (flux2 issue 3316), the directory that was empty, the generator that returned
nothing (argo-cd issue 14318). Each is a commit on a fleet of ten ConfigMaps in a namespace. Said twice: by
the preview's plan before it is merged, and by the sync, which is given it. Files are `test_files`'s, names
`test_names`'s, branches that machines write `test_branches`'s, repositories that are away
`test_repository`'s, clusters and their clocks `test_fleet`'s.

Held elsewhere: a host that never answers (`tests/sync/test_pull_repository`), two syncs of one object, labels
that a controller copies (kustomize-controller issue 410), a HubSync made anew, a definition that is gone
(`tests/sync/test_ownership`), a second process on one HubSync (`tests/sync/test_pull_interrupted`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.plan.changes import Action, Policy
from gitops_ocm.preview.run import planned
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.testing.gitops import NAMESPACE, Fleet, config_map

pytestmark = pytest.mark.slow

CATALOG = load_catalog()
NAMES = tuple(f"m{number}" for number in range(10))
START = {
    "hub/shop/namespace.yaml": NAMESPACE,
    **{f"hub/shop/{name}.yaml": config_map(name) for name in NAMES},
}
GONE: Mapping[str, str | None] = dict.fromkeys(START)
LONG = "p" * 63


def _placement(name: str) -> str:
    return (
        "apiVersion: cluster.open-cluster-management.io/v1beta1\nkind: Placement\n"
        f"metadata:\n  name: {name}\n  namespace: shop\nspec: {{}}\n"
    )


@dataclass(frozen=True)
class Outage:
    """A bad commit; a preview has it `refused`, `kept` (by the guard), `warned` of, or `harmless`."""

    files: Mapping[str, str | None]
    said: str


OUTAGES: Mapping[str, Outage] = {
    "a bad merge leaves the directory empty": Outage({**GONE, "README.md": "# empty\n"}, "kept"),
    "most files are lost in a bad merge": Outage(
        {path: None for path in list(START)[1:] if not path.endswith("m0.yaml")}, "kept"
    ),
    "the path is renamed": Outage(
        {**GONE, **{path.replace("/shop/", "/store/"): text for path, text in START.items()}}, "harmless"
    ),
    "a namespace goes, with everything in it": Outage({"hub/shop/namespace.yaml": None}, "warned"),
    "a bad merge brings every object twice": Outage(
        {"hub/copy/m1.yaml": config_map("m1", "other")}, "refused"
    ),
    "a bad merge leaves its marks": Outage(
        {"hub/shop/m1.yaml": "<<<<<<< HEAD\n" + config_map("m1") + "=======\n>>>>>>> topic\n"}, "refused"
    ),
    "half a file is written": Outage({"hub/shop/m1.yaml": config_map("m1")[:40] + ": ["}, "refused"),
    "names that become one when they are cut": Outage(
        {f"hub/shop/{end}.yaml": _placement(LONG + end) for end in ("a", "b")}, "refused"
    ),
    "a generator that writes nothing": Outage(
        {"hub/shop/m1.yaml": "", "hub/shop/m2.yaml": "---\n"}, "harmless"
    ),
}


def _meant(files: Mapping[str, str | None], commit: str) -> DesiredState:
    present = {path: text for path, text in files.items() if text is not None}
    return compile_tree(memory_tree(present, commit=commit * 40), CATALOG)


@pytest.mark.parametrize("name", OUTAGES)
def test_said_before_the_merge(name: str) -> None:
    """The preview's plan refuses the commit, keeps what is gone from Git, or deletes at most what is gone."""
    outage = OUTAGES[name]
    base, head = _meant(START, "a"), _meant({**START, **outage.files}, "b")
    assert head.ok == (outage.said != "refused"), [str(d) for d in head.diagnostics]
    if not head.ok:
        assert all(d.where.path for d in head.diagnostics)
        return
    plan = planned(base, head, Policy(), owner="fleet")
    pruned = [change for change in plan.notable if change.action is Action.PRUNE]
    assert len(pruned) <= sum(text is not None and not text.strip("-\n") for text in outage.files.values())
    assert bool(plan.diagnostics) == (outage.said in ("kept", "warned"))


@pytest.mark.parametrize("name", OUTAGES)
async def test_what_the_sync_does(fleet: Fleet, name: str) -> None:
    """What is on the hub stays, and where something is wrong the HubSync says so; then Git is mended."""
    fleet.repo.commit(START)
    await fleet.sync_object()
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == sorted(NAMES)
    outage = OUTAGES[name]
    fleet.repo.commit(outage.files)
    attempt = await fleet.loop().once()
    empty = {path for path, text in outage.files.items() if text is not None and not text.strip("-\n")}
    left = [name for name in NAMES if f"hub/shop/{name}.yaml" not in empty]
    assert await fleet.names() == left
    applied = outage.said in ("harmless", "warned")
    assert attempt.ok == applied
    assert bool(attempt.problems) == (outage.said != "harmless")
    ready, _ = await fleet.condition()
    assert ready == ("True" if applied else "False")
    mended: dict[str, str | None] = {**dict.fromkeys(outage.files), **START}
    fleet.repo.commit(mended, "Mend it")
    assert (await fleet.loop().once()).ok
    assert await fleet.names() == sorted(NAMES)
