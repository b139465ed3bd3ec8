"""Plays the scenes on a real control plane with OCM's add-on manager, and keeps what it made of them.

    python -m tests.decide.addons.configuration_recorder \
        "addon manager --kubeconfig={kubeconfig} --listen=127.0.0.1:{port} --namespace=default" FILE [SCENES]

By hand, where OCM's program is at hand; the suite holds ours to the record (`test_configuration_recorded`).
The agents are played here: works of add-ons that are to come up are said to be applied and available.
"""

from __future__ import annotations

import asyncio
import gzip
import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitops_ocm.api.crd import ConversionWebhook, crds
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object, Resource
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.programs import ensure
from tests.decide.addons.configuration_scenes import ADDON, CLUSTERS, Phase, Scene

QUIET_LOOKS, LOOK_SECONDS, MAX_LOOKS = 5, 1.0, 120
GO_MODULE = Path(__file__).parents[2] / "controlplane"


def definitions() -> list[Object]:
    """The CRDs with add-on kinds at v1beta1 alone, which needs no conversion."""
    return [_beta_alone(crd) for crd in crds(conversion_webhook=ConversionWebhook())]


def _beta_alone(crd: Object) -> Object:
    spec = {k: v for k, v in crd["spec"].items() if k != "conversion"}
    if spec["names"]["kind"] not in ("ClusterManagementAddOn", "ManagedClusterAddOn"):
        return {**crd, "spec": spec}
    beta = next(v for v in spec["versions"] if v["name"] == "v1beta1")
    return {**crd, "spec": {**spec, "versions": [{**beta, "storage": True}]}}


class Hub:
    """A real hub, and the few verbs that playing takes."""

    def __init__(self, cluster: HttpCluster, kinds: Mapping[tuple[str, str], Resource]) -> None:
        self._cluster, self._kinds = cluster, kinds

    async def write(self, obj: Object) -> None:
        """Create or replace an object, its status too."""
        resource = self._kinds[obj["apiVersion"], obj["kind"]]
        place = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
        try:
            await self._cluster.create(resource, obj)
        except ApiError as error:
            if error.http_code != 409:
                raise
            await self._replace(resource, obj)
        if "status" in obj:
            await self._cluster.patch(resource, *place, {"status": obj["status"]}, subresource="status")

    async def _replace(self, resource: Resource, obj: Object) -> None:
        meta = obj["metadata"]
        while True:
            held = await self._cluster.get(resource, meta.get("namespace", ""), meta["name"])
            try:
                await self._cluster.update(resource, {**held, "spec": obj.get("spec", held.get("spec"))})
            except ApiError as error:
                if error.http_code != 409:
                    raise
            else:
                return

    async def delete(self, obj: Object) -> None:
        """Delete an object."""
        resource = self._kinds[obj["apiVersion"], obj["kind"]]
        try:
            await self._cluster.delete(
                resource, obj["metadata"].get("namespace", ""), obj["metadata"]["name"]
            )
        except ApiError as error:
            if error.http_code != 404:
                raise

    async def items(self, api_version: str, kind: str) -> list[Object]:
        """All objects of a kind."""
        return (await self._cluster.list(self._kinds[api_version, kind])).items

    async def play(self, phase: Phase) -> Object:
        """A phase, until nothing moves any more; then what there is."""
        for obj in phase.deleted:
            await self.delete(obj)
        for obj in phase.written:
            await self.write(obj)
        quiet, before = 0, None
        for _ in range(MAX_LOOKS):
            await self._come_up(phase)
            await asyncio.sleep(LOOK_SECONDS)
            seen = await self.snapshot()
            quiet, before = (quiet + 1 if seen == before else 0), seen
            if quiet >= QUIET_LOOKS:
                return seen
        raise RuntimeError("the hub does not come to rest")

    async def _come_up(self, phase: Phase) -> None:
        for work in await self.items("work.open-cluster-management.io/v1", "ManifestWork"):
            name = (work["metadata"].get("labels") or {}).get("open-cluster-management.io/addon-name")
            meta = work["metadata"]
            if (name, meta["namespace"]) not in phase.ready or _is_up(work):
                continue
            told = [_true(kind, meta["generation"]) for kind in ("Applied", "Available")]
            await self._cluster.patch(
                self._kinds["work.open-cluster-management.io/v1", "ManifestWork"],
                meta["namespace"], meta["name"], {"status": {"conditions": told}}, subresource="status",
            )  # fmt: skip

    async def snapshot(self) -> Object:
        """All that counts: add-ons' status, and what the works say."""
        found: Object = {}
        for kind in ("ClusterManagementAddOn", "ManagedClusterAddOn"):
            for obj in await self.items(f"{ADDON}/v1beta1", kind):
                meta = obj["metadata"]
                found[f"{kind} {meta.get('namespace', '')}/{meta['name']}"] = timeless(
                    obj.get("status") or {}
                )
        for work in await self.items("work.open-cluster-management.io/v1", "ManifestWork"):
            meta = work["metadata"]
            kept = {k: meta[k] for k in ("labels", "annotations", "generation") if k in meta}
            told = {"metadata": kept, "status": timeless(work.get("status") or {})}
            found[f"ManifestWork {meta['namespace']}/{meta['name']}"] = told
        return found


def timeless(value: Any) -> Any:
    """Without times and nulls."""
    if isinstance(value, Mapping):
        return {k: timeless(v) for k, v in value.items() if v is not None and k != "lastTransitionTime"}
    return [timeless(each) for each in value] if isinstance(value, list) else value


def _is_up(work: Object) -> bool:
    told = (work.get("status") or {}).get("conditions") or []
    return bool(told) and all(c.get("observedGeneration") == work["metadata"]["generation"] for c in told)


def _true(kind: str, generation: int) -> Object:
    at = "2026-01-01T00:00:00Z"
    told = {"type": kind, "status": "True", "reason": "Played", "message": "", "lastTransitionTime": at}
    return {**told, "observedGeneration": generation}


async def record(program: str, seeds: range) -> list[Object]:
    """What OCM makes of the scenes, each on a hub of its own."""
    found = []
    for seed in seeds:
        with tempfile.TemporaryDirectory() as directory:
            programs = ensure(os.environ, GO_MODULE)
            with control_plane(programs, Path(directory), manifests=definitions()) as plane:
                found.append({"seed": seed, "phases": await _played(program, plane.kubeconfig, seed)})
    return found


async def _played(program: str, kubeconfig: Path, seed: int) -> list[Object]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    line = shlex.split(program.replace("{kubeconfig}", str(kubeconfig)).replace("{port}", port))
    cluster = HttpCluster(load_kubeconfig(kubeconfig))
    with Path(os.environ.get("RECORDER_LOG", os.devnull)).open("ab") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log)
        try:
            kinds = {(r.api_version, r.kind): r for r in await cluster.discover()}
            hub = Hub(cluster, kinds)
            return [await hub.play(phase) for phase in Scene(seed).phases]
        finally:
            process.terminate()
            process.wait()
            await cluster.close()


def main() -> None:
    """Record as many scenes as asked for."""
    program, file, *count = sys.argv[1:]
    found = asyncio.run(record(program, range(int(count[0]) if count else 4)))
    text = json.dumps({"clusters": list(CLUSTERS), "scenes": found}, sort_keys=True)
    Path(file).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
