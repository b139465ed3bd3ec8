"""The demo's story: commits pushed to Git, and each one seen to arrive.

Every chapter changes files in the clone, pushes, and then looks at the hub, the clusters and the
branches until what it promised is so. `Teller` shows it; nothing here prints.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from gitops_ocm.demo.stage import SYNC, Stage
from gitops_ocm.demo.watching import CLUSTERS, HUBSYNCS, PLACEMENTS, SETS, WORKS, NotSeen, lacking, until
from gitops_ocm.git.command import Git
from gitops_ocm.hub.template import write_template
from gitops_ocm.kube.cluster import PatchType
from gitops_ocm.kube.reading import find
from gitops_ocm.objects.served import CONFIG_MAPS, DEPLOYMENTS, PODS

MISSPELT = "rolloutStratagy"

Check = Callable[[], Awaitable[str]]


class Teller(Protocol):
    """Shows the story to a person."""

    def chapter(self, number: int, title: str) -> None:
        """A chapter begins."""

    def pushed(self, subject: str, remote: Sequence[str]) -> None:
        """A commit was pushed; `remote` is what the hub's sync answered."""

    def verified(self, what: str, seconds: float) -> None:
        """Something promised was seen."""


@dataclass(frozen=True)
class Verified:
    """One thing that was seen to be so, and how long that took."""

    chapter: str
    what: str
    seconds: float


class Story:
    """Plays all chapters on a stage."""

    def __init__(self, stage: Stage, teller: Teller) -> None:
        self.on = stage
        self.verified: list[Verified] = []
        self._teller = teller
        self._chapter = ""
        self._template = stage.directory / "template"

    async def play(self) -> None:
        """All chapters, in order; `NotSeen` when one does not come true."""
        write_template(self._template, sorted(self.on.members))
        chapters = (
            ("A fleet from an empty repository", self._start),
            ("A work for one cluster", self._one_cluster),
            ("A replica set for every cluster", self._every_cluster),
            ("Drift is put back", self._drift),
            ("A commit with a mistake changes nothing", self._mistake),
            ("What leaves Git leaves the clusters", self._removal),
            ("The fleet's state is a branch", self._history),
        )
        for number, (title, play) in enumerate(chapters, start=1):
            self._chapter = title
            self._teller.chapter(number, title)
            await play()

    # Chapters

    async def _start(self) -> None:
        self._take("README.md", "gitops-ocm.yaml", "hub", "clusters")
        commit = await self._push("Start the fleet")
        await self._see("HubSync fleet is Ready at that commit", self._synced(commit))
        for name in self.on.members:
            conditions = (
                "HubAcceptedManagedCluster",
                "ManagedClusterJoined",
                "ManagedClusterConditionAvailable",
            )
            await self._see(f"{name} is accepted, joined and available", self._cluster(name, *conditions))
        await self._see(f"Placement all-clusters selects {len(self.on.members)} clusters", self._placement())

    async def _one_cluster(self) -> None:
        self._take("works/mw-01.yaml")
        first = self._first
        await self._push(f"Say hello from {first}")
        await self._see(f"ManifestWork {first}/mw-01 is applied and available", self._work(first, "mw-01"))
        await self._see(f"Pod hello runs on {first}", self._pod(first))

    async def _every_cluster(self) -> None:
        self._take("works/web.yaml")
        await self._push("Run web everywhere")
        await self._see("the replica set made one work for each cluster", self._set())
        for name in self.on.members:
            await self._see(f"Deployment web is ready on {name}", self._deployment(name))

    async def _drift(self) -> None:
        name = max(self.on.members)
        spoke, hub = self.on.spokes[name], self.on.hub
        body = {"data": {"greeting": "edited by hand"}}
        await spoke.patch(CONFIG_MAPS, "web", "web", body, type=PatchType.MERGE, field_manager="somebody")
        await self._see(
            f"a ConfigMap edited on {name} says again what Git says", self._greeting(name, "hello")
        )
        await hub.delete(WORKS, self._first, "mw-01")
        await self._see("a ManifestWork deleted on the hub is back", self._work(self._first, "mw-01"))

    async def _mistake(self) -> None:
        path = self.on.copy.path / "works" / "web.yaml"
        path.write_text(path.read_text().replace("rolloutStrategy", MISSPELT).replace("hello", "never"))
        bad = await self._push("Greet differently, with a slip of the pen")
        await self._see("HubSync names the file and the line", self._refused(bad))
        await self._see("the clusters still have the last good commit", self._unchanged())
        good = await self.on.copy.revert()
        await self._pushed("Revert it")
        await self._see("HubSync is Ready again", self._synced(good))

    async def _removal(self) -> None:
        (self.on.copy.path / "works" / "mw-01.yaml").unlink()
        await self._push("Say no more")
        await self._see(f"ManifestWork {self._first}/mw-01 is gone from the hub", self._no_work())
        await self._see(f"Pod hello is gone from {self._first}", self._no_pod())

    async def _history(self) -> None:
        commit = await self.on.copy.head()
        for name in self.on.members:
            await self._see(f"branch status tells of {name} and its works", self._status(name))
        await self._see("a commit on status names the commit it answers", self._trailer(commit))
        for name in self.on.members:
            await self._see(
                f"branch agents/{name} is its agent's own account", self._branch(f"agents/{name}")
            )

    # Doing

    @property
    def _first(self) -> str:
        return min(self.on.members)

    def _take(self, *names: str) -> None:
        """Copy parts of the template into the clone."""
        for name in names:
            source, target = self._template / name, self.on.copy.path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            if source.is_dir():
                shutil.copytree(source, target, dirs_exist_ok=True)
            else:
                shutil.copyfile(source, target)

    async def _push(self, subject: str) -> str:
        await self.on.copy.commit(subject)
        return await self._pushed(subject)

    async def _pushed(self, subject: str) -> str:
        pushed = await self.on.copy.push()
        self._teller.pushed(f"{pushed.commit[:7]} {subject}", pushed.remote)
        return pushed.commit

    async def _see(self, what: str, check: Check) -> None:
        started = time.monotonic()
        await until(what, check)
        seconds = time.monotonic() - started
        self.verified.append(Verified(self._chapter, what, seconds))
        self._teller.verified(what, seconds)

    # Looking: each answers "" when it is so, else what is not

    def _synced(self, commit: str) -> Check:
        async def look() -> str:
            sync = await find(self.on.hub, HUBSYNCS, SYNC)
            at = ((sync or {}).get("status") or {}).get("lastAppliedCommit")
            return lacking(sync, "Ready") or ("" if at == commit else f"it is at {at}")

        return look

    def _refused(self, commit: str) -> Check:
        async def look() -> str:
            sync = await find(self.on.hub, HUBSYNCS, SYNC) or {}
            status = sync.get("status") or {}
            if status.get("lastAttemptedCommit") != commit:
                return f"it has not tried {commit[:7]} yet"
            places = {f"{p.get('path')}:{p.get('line')}" for p in status.get("problems") or []}
            wanted = f"works/web.yaml:{_line_of(self.on.copy.path / 'works' / 'web.yaml', MISSPELT)}"
            return lacking(sync, "Ready", status="False") or (
                "" if wanted in places else f"it names {places}"
            )

        return look

    def _unchanged(self) -> Check:
        async def look() -> str:
            for name in self.on.members:
                if problem := await self._greeting(name, "hello")():
                    return f"{name}: {problem}"
            return ""

        return look

    def _cluster(self, name: str, *conditions: str) -> Check:
        async def look() -> str:
            return lacking(await find(self.on.hub, CLUSTERS, name), *conditions)

        return look

    def _placement(self) -> Check:
        async def look() -> str:
            placement = await find(self.on.hub, PLACEMENTS, "all-clusters", "fleet") or {}
            count = (placement.get("status") or {}).get("numberOfSelectedClusters", 0)
            return "" if count == len(self.on.members) else f"it selects {count}"

        return look

    def _work(self, cluster: str, name: str) -> Check:
        async def look() -> str:
            work = await find(self.on.hub, WORKS, name, cluster)
            if work is not None and work["metadata"].get("deletionTimestamp"):
                return "it is being deleted"
            return lacking(work, "Applied", "Available")

        return look

    def _no_work(self) -> Check:
        async def look() -> str:
            work = await find(self.on.hub, WORKS, "mw-01", self._first)
            return "it is still there" if work is not None else ""

        return look

    def _pod(self, cluster: str) -> Check:
        async def look() -> str:
            pod = await find(self.on.spokes[cluster], PODS, "hello", "default")
            phase = ((pod or {}).get("status") or {}).get("phase")
            return "" if phase == "Running" else f"its phase is {phase}"

        return look

    def _no_pod(self) -> Check:
        async def look() -> str:
            pod = await find(self.on.spokes[self._first], PODS, "hello", "default")
            return "it is still there" if pod is not None else ""

        return look

    def _set(self) -> Check:
        async def look() -> str:
            found = await find(self.on.hub, SETS, "web", "fleet") or {}
            summary = (found.get("status") or {}).get("summary") or {}
            wanted = len(self.on.members)
            done = summary.get("total") == summary.get("applied") == wanted
            return "" if done else f"its summary is {summary}"

        return look

    def _deployment(self, cluster: str) -> Check:
        async def look() -> str:
            found = await find(self.on.spokes[cluster], DEPLOYMENTS, "web", "web") or {}
            ready = (found.get("status") or {}).get("readyReplicas", 0)
            return "" if ready == 2 else f"{ready} of 2 replicas are ready"

        return look

    def _greeting(self, cluster: str, wanted: str) -> Check:
        async def look() -> str:
            found = await find(self.on.spokes[cluster], CONFIG_MAPS, "web", "web") or {}
            greeting = (found.get("data") or {}).get("greeting")
            return "" if greeting == wanted else f"it says {greeting!r}"

        return look

    def _status(self, cluster: str) -> Check:
        async def look() -> str:
            listed = await self._run("ls-tree", "-r", "--name-only", "status")
            wanted = f"clusters/{cluster}/"
            works = [p for p in listed.split() if p.startswith(f"{wanted}works/web")]
            return (
                "" if works and f"{wanted}cluster.yaml" in listed.split() else "its files are not there yet"
            )

        return look

    def _trailer(self, commit: str) -> Check:
        async def look() -> str:
            found = await self._run("log", "--format=%H", f"--grep=Source-Commit: {commit}", "status")
            return "" if found else f"no commit answers {commit[:7]} yet"

        return look

    def _branch(self, name: str) -> Check:
        async def look() -> str:
            listed = await self._run("ls-tree", "--name-only", name)
            return "" if "cluster.yaml" in listed.split() else "it has no cluster.yaml yet"

        return look

    async def _run(self, *args: str) -> str:
        result = await asyncio.to_thread(lambda: Git(self.on.bare).run(*args, check=False))
        return result.text if result.code == 0 else ""


def _line_of(path: Path, word: str) -> int:
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if word in line:
            return number
    raise NotSeen(f"{path.name} does not say {word}")
