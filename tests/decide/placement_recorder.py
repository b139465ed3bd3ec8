"""Has OCM's own scheduler decide the scenes on a real control plane, and records what it decided.

    python -m tests.decide.placement_recorder 'placement controller --kubeconfig={kubeconfig} ...'

What is recorded are facts: of each placement, created once all before it were decided, the decisions by
page, their group labels, the groups in its status, and its conditions. `test_placement_recorded` holds ours
to them.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from gitops_ocm.api.crd import crds
from gitops_ocm.kube.cluster import Cluster, PatchType
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import NAMESPACES
from gitops_ocm.testing.clusters import connected
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.objects import namespace
from gitops_ocm.testing.programs import ensure
from gitops_ocm.verbs.listing import BINDINGS, CLUSTERS, DECISIONS, PLACEMENTS, SETS
from gitops_ocm.verbs.targets import ocm
from tests.decide.placement_scenes import GROUP, Scene, scene

RECORD = Path(__file__).with_name("placement_recorded.json.gz")
SCENES, PLACEMENTS_EACH = 24, 20
SCORES = ocm(f"{GROUP}/v1alpha1", "AddOnPlacementScore")
QUIET = 0.4
"""Seconds in which nothing changes before a decision counts as final."""


def main() -> None:
    """Record everything anew."""
    programs = ensure(os.environ, Path(__file__).parents[1] / "controlplane")
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with control_plane(programs, Path(folder), manifests=crds()) as plane, log.open("wb") as output:
            command = shlex.split(sys.argv[1].replace("{kubeconfig}", str(plane.kubeconfig)))
            judge = subprocess.Popen(command, stdout=output, stderr=output, cwd=folder)
            try:
                found = asyncio.run(_record(plane.kubeconfig))
            finally:
                judge.terminate()
                judge.wait()
    text = json.dumps(found, separators=(",", ":"), sort_keys=True)
    RECORD.write_bytes(gzip.compress(text.encode(), mtime=0))
    print(f"{sum(map(len, found.values()))} placements of {len(found)} scenes, {len(text)} bytes")


async def _record(kubeconfig: Path) -> dict[str, list[Any]]:
    async with connected(kubeconfig) as hub:
        found = {}
        for number in range(SCENES):
            found[str(number)] = await _play(hub, scene(number, placements=PLACEMENTS_EACH))
            print(number, len(found[str(number)]), flush=True)
        return found


async def _play(hub: Cluster, one: Scene) -> list[Any]:
    names = [one.namespace, *(c["metadata"]["name"] for c in one.clusters)]
    await asyncio.gather(*(hub.create(NAMESPACES, namespace(name)) for name in names))
    for resource, objects in ((SETS, one.sets), (CLUSTERS, one.clusters), (SCORES, one.scores)):
        await asyncio.gather(*(_make(hub, resource, obj) for obj in objects))
    await asyncio.gather(*(_make(hub, BINDINGS, obj) for obj in one.bindings))
    found = []
    for obj in one.placements:
        await _make(hub, PLACEMENTS, obj)
        found.append(await _decision(hub, one.namespace, obj["metadata"]["name"]))
    for obj in one.placements:
        await hub.delete(PLACEMENTS, one.namespace, obj["metadata"]["name"])
    await asyncio.gather(*(hub.delete(CLUSTERS, "", c["metadata"]["name"]) for c in one.clusters))
    while (await hub.list(DECISIONS)).items:
        await asyncio.sleep(QUIET)
    return found


async def _make(hub: Cluster, resource: Any, obj: Object) -> None:
    status = obj.get("status")
    body = {key: value for key, value in obj.items() if key != "status"}
    made = await hub.create(resource, body)
    if status:
        meta = made["metadata"]
        await hub.patch(
            resource,
            meta.get("namespace", ""),
            meta["name"],
            {"status": status},
            type=PatchType.MERGE,
            subresource="status",
        )


async def _decision(hub: Cluster, home: str, name: str) -> Any:
    """What was decided, once it stays so."""
    before: Any = None
    while True:
        placement = await hub.get(PLACEMENTS, home, name)
        pages = (await hub.list(DECISIONS, home, label_selector=f"{GROUP}/placement={name}")).items
        now = told(placement, pages) if (placement.get("status") or {}).get("conditions") else None
        if now is not None and now == before:
            return now
        before = now
        await asyncio.sleep(QUIET)


def told(placement: Object, pages: Sequence[Object]) -> Any:
    """What is recorded of a placement."""
    status: Mapping[str, Any] = placement.get("status") or {}
    return {
        "conditions": sorted(
            [c["type"], c["status"], c["reason"], c["message"]] for c in status["conditions"]
        ),
        "selected": status.get("numberOfSelectedClusters", 0),
        "groups": [
            [
                g.get("decisionGroupIndex", 0),
                g.get("decisionGroupName", ""),
                g["decisions"],
                g["clusterCount"],
            ]
            for g in status.get("decisionGroups") or ()
        ],
        "pages": {
            page["metadata"]["name"]: [
                page["metadata"]["labels"][f"{GROUP}/decision-group-index"],
                page["metadata"]["labels"][f"{GROUP}/decision-group-name"],
                [d["clusterName"] for d in (page.get("status") or {}).get("decisions") or ()],
            ]
            for page in pages
        },
    }


if __name__ == "__main__":
    main()
