"""What a preview says is what happens on a real kube-apiserver: the demo's own history, commit by commit.

Each commit is previewed from the status branch alone, then pushed; our controllers run the hub, our
klusterlets the clusters.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from gitops_ocm.api.crd import crds
from gitops_ocm.desired.compile import compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.hub.template import write_template
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.run import attempt
from gitops_ocm.preview.state import read_state
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.runtime.tasks import Tasks
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.programs import ensure
from tests.conftest import GO_MODULE
from tests.preview.embedded import HubFleet, PlayedOnHub, hub_fleet
from tests.preview.fleets import CATALOG
from tests.preview.order import GIVEN, waves

pytestmark = [pytest.mark.slow, pytest.mark.controlplane]

CLUSTERS = ("cluster1", "cluster2", "cluster3")
QUIET, POLL, PATIENCE = 1.5, 0.3, 30.0
"""Seconds without a change after which a hub is at rest; between looks; that are waited for it."""
SPREAD = ("every cluster", "another greeting")
"""The commits that controllers bring to clusters."""
FIRST, SECOND = "works/mw-01.yaml", "works/web.yaml"
Texts = dict[str, str]


class WallClock(SystemClock):
    """The machine's clock, which nobody can hurry."""

    async def pass_by(self, seconds: float) -> None:
        """No more than it takes to end what runs."""
        await asyncio.sleep(min(seconds, QUIET))


class RealFleet(HubFleet):
    """A fleet on a hub that takes its time."""

    async def rest(self) -> None:
        """Until nothing has changed for a while."""
        seen, since, end = await self._versions(), self.clock.monotonic(), self.clock.monotonic() + PATIENCE
        while self.clock.monotonic() < min(since + QUIET, end):
            await asyncio.sleep(POLL)
            now = await self._versions()
            if now != seen:
                seen, since = now, self.clock.monotonic()

    async def _versions(self) -> Mapping[Ref, str]:
        return {ref: obj["metadata"]["resourceVersion"] for ref, obj in (await self.all()).items()}


def _history(folder: Path) -> dict[str, Texts]:
    """The demo's commits, and one more that changes what runs everywhere."""
    write_template(folder, CLUSTERS)
    texts = {str(path.relative_to(folder)): path.read_text() for path in folder.glob("[!.]*/**/*.yaml")}
    start = {path: text for path, text in texts.items() if not path.startswith("works/")}
    web = texts[SECOND]
    return {
        "start": start,
        "one cluster": start | {FIRST: texts[FIRST]},
        "every cluster": start | {FIRST: texts[FIRST], SECOND: web},
        "a mistake": start
        | {FIRST: texts[FIRST], SECOND: web.replace("rolloutStrategy", "rolloutStrategie")},
        "another greeting": start | {FIRST: texts[FIRST], SECOND: web.replace("hello", "good morning")},
        "removal": start | {SECOND: web.replace("hello", "good morning")},
    }


async def _played(fleet: HubFleet, before: tuple[str, Texts], texts: Texts) -> PlayedOnHub:
    """Preview a commit, push it, and see what happens."""
    commit, old = before
    base, head = (
        compile_tree(memory_tree(files, commit=sha), CATALOG)
        for files, sha in ((old, commit), (texts, "2" * 40))
    )
    state, now = read_state(await fleet.account()), fleet.clock.now()
    tried = attempt(base, head, state, catalog=CATALOG, now=now)
    there = await fleet.all()
    fleet.given.clear()
    async with Tasks("notes") as notes:
        for kind in GIVEN:
            notes.start(str(kind), fleet.follow(kind, {item.ref for item in head.objects}))
        await asyncio.sleep(POLL)
        await fleet.push(texts, maximum=50)
        notes.stop()
    ours = replace(tried, before=_ours(tried.before), after=_ours(tried.after))
    return PlayedOnHub(ours, _ours(there), _ours(await fleet.all()), waves(fleet.given))


def _ours(objects: Mapping[Ref, Object]) -> dict[Ref, Object]:
    """The demo's: a control plane has namespaces and the like of its own."""
    return {r: o for r, o in objects.items() if r.namespace in ("fleet", *CLUSTERS) or r.name in CLUSTERS}


@pytest.fixture(scope="module")
def own_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a control plane where nobody was before: what others left would be chosen, too."""
    programs = ensure(os.environ, GO_MODULE)
    with control_plane(programs, tmp_path_factory.mktemp("own-control-plane"), manifests=crds()) as plane:
        yield plane.kubeconfig


async def test_the_demo_is_as_it_was_previewed(own_kubeconfig: Path, tmp_path: Path) -> None:
    """Objects before and after each commit, and who is given what in which order, are as they were told; the
    commit with a mistake is refused by both.
    """
    history = _history(tmp_path / "template")
    hub = HttpCluster(load_kubeconfig(own_kubeconfig))
    clusters: Mapping[str, Mapping[str, str]] = {name: {} for name in CLUSTERS}
    async with AsyncExitStack() as stack:
        stack.push_async_callback(hub.close)
        fleet = await stack.enter_async_context(
            hub_fleet(WallClock(), tmp_path, clusters, hub=hub, make_fleet=RealFleet)
        )
        texts = history.pop("start")
        before = (await fleet.push(texts), texts)
        for title, texts in history.items():
            if not compile_tree(memory_tree(texts), CATALOG).ok:
                there = await fleet.all()
                await fleet.push(texts)
                assert await fleet.all() == there, title
                continue
            played = await _played(fleet, before, texts)
            before = (fleet.repo.git("rev-parse", "main"), texts)
            assert not played.untrue(), title
            assert bool(played.waves) == (title in SPREAD)
