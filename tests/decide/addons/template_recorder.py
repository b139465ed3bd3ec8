"""Plays the template cases on a real control plane with OCM's add-on manager, and keeps what it made of them.

    python -m tests.decide.addons.template_recorder "PROGRAM manager --kubeconfig={kubeconfig} ..." FILE

By hand, where OCM's program is at hand; the suite holds ours to the record (`test_templates_recorded`).
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
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.ref import Object
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.programs import ensure
from tests.decide.addons.configuration_recorder import GO_MODULE, Hub, definitions, timeless
from tests.decide.addons.template_cases import ADDON, Case, cluster_objects
from tests.decide.addons.template_edges import CASES

LOOKS, LOOK_SECONDS = 8, 2.0
WORK = "work.open-cluster-management.io/v1"
RBAC = "rbac.authorization.k8s.io/v1"
LABEL = "open-cluster-management.io/addon-name"
SEEN = ("ManifestApplied", "RegistrationApplied", "Available", "TokenInfrastructureReady")


def told(objects: Iterable[Object], case: Case) -> Object:
    """What of the objects on a hub is about a case, without what is different each time."""
    found: Object = {"works": {}, "bindings": {}}
    for obj in objects:
        meta = obj["metadata"]
        named = (meta.get("labels") or {}).get(LABEL) == case.name
        if obj["kind"] == "ManifestWork" and named:
            found["works"][f"{meta['namespace']}/{meta['name']}"] = _work(obj)
        elif obj["kind"] == "RoleBinding" and named:
            found["bindings"][f"{meta['namespace']}/{meta['name']}"] = {
                "labels": meta["labels"],
                "owned": [o["name"] for o in meta.get("ownerReferences") or ()],
                "roleRef": obj["roleRef"],
                "subjects": obj.get("subjects") or [],
            }
        elif obj["kind"] == "ManagedClusterAddOn" and meta["name"] == case.name:
            found["status"] = _status(obj)
            found["finalizers"] = meta.get("finalizers") or []
    return found


def _work(work: Object) -> Object:
    meta = work["metadata"]
    spec = timeless(work["spec"])
    manifests = work["spec"]["workload"]["manifests"]
    owners = [
        {k: o.get(k) for k in ("kind", "name", "controller", "blockOwnerDeletion")}
        for o in meta.get("ownerReferences") or ()
    ]
    return {
        "labels": meta["labels"],
        "annotations": meta.get("annotations") or {},
        "owners": owners,
        "spec": {k: v for k, v in spec.items() if k != "workload"},
        # Of manifests of one size OCM's order is any.
        "manifests": sorted(json.dumps(m, sort_keys=True) for m in manifests),
    }


def _status(addon: Object) -> Object:
    status = timeless(addon.get("status") or {})
    conditions = {
        c["type"]: [c["status"], c["reason"], c["message"]]
        for c in status.get("conditions") or ()
        if c["type"] in SEEN
    }
    if (token := conditions.get("TokenInfrastructureReady")) is not None:
        token[2] = token[2].split("(UID")[0]
    configs = sorted(status.get("supportedConfigs") or [], key=lambda c: str(c["resource"]))
    return {
        "conditions": conditions,
        "supportedConfigs": configs,
        "registrations": status.get("registrations") or [],
        "namespace": status.get("namespace", ""),
        "healthCheck": status.get("healthCheck") or {},
    }


async def _snapshot(hub: Hub) -> list[Object]:
    kinds = ((WORK, "ManifestWork"), (RBAC, "RoleBinding"), (f"{ADDON}/v1beta1", "ManagedClusterAddOn"))
    return [obj for kind in kinds for obj in await hub.items(*kind)]


async def _settled(hub: Hub) -> list[Object]:
    quiet, before = 0, None
    while quiet < LOOKS:
        await asyncio.sleep(LOOK_SECONDS)
        seen = await _snapshot(hub)
        told_now = [[told(seen, case)] for case in CASES]
        quiet, before = (quiet + 1 if told_now == before else 0), told_now
    return seen


async def _report(cluster: HttpCluster, hub: Hub) -> None:
    """Say what the agents report: drivers of registrations, and how the first works are."""
    kinds = {(r.api_version, r.kind): r for r in await cluster.discover()}
    addons = {(a["metadata"]["name"]): a for a in await hub.items(f"{ADDON}/v1beta1", "ManagedClusterAddOn")}
    for case in CASES:
        if case.driver:
            told_of = [dict(r) for r in addons[case.name]["status"]["registrations"]]
            told_of[0]["kubeClient"] = {**told_of[0]["kubeClient"], "driver": case.driver}
            body: Any = {"status": {"registrations": told_of}}
            resource = kinds[f"{ADDON}/v1beta1", "ManagedClusterAddOn"]
            await cluster.patch(resource, case.cluster, case.name, body, subresource="status")
        if case.reported is not None:
            name = f"addon-{case.name}-deploy-0"
            body = {"status": case.reported}
            await cluster.patch(kinds[WORK, "ManifestWork"], case.cluster, name, body, subresource="status")


async def record(program: str) -> Object:
    """What OCM makes of the cases, all on one hub."""
    with tempfile.TemporaryDirectory() as directory:
        programs = ensure(os.environ, GO_MODULE)
        with control_plane(programs, Path(directory), manifests=definitions()) as plane:
            return await _played(program, plane.kubeconfig)


async def _played(program: str, kubeconfig: Path) -> Object:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    line = shlex.split(program.replace("{kubeconfig}", str(kubeconfig)).replace("{port}", port))
    cluster = HttpCluster(load_kubeconfig(kubeconfig))
    with Path(os.environ.get("RECORDER_LOG", os.devnull)).open("ab") as log:
        process = subprocess.Popen(line, stdout=log, stderr=log)
        try:
            hub = Hub(cluster, {(r.api_version, r.kind): r for r in await cluster.discover()})
            for obj in [*cluster_objects(), *(obj for case in CASES for obj in case.objects())]:
                await hub.write(obj)
            await _settled(hub)
            await _report(cluster, hub)
            seen = await _settled(hub)
            return {case.name: told(seen, case) for case in CASES}
        finally:
            process.terminate()
            process.wait()
            await cluster.close()


def main() -> None:
    """Record."""
    program, file = sys.argv[1:]
    text = json.dumps(asyncio.run(record(program)), sort_keys=True)
    Path(file).write_bytes(gzip.compress(text.encode(), mtime=0))


if __name__ == "__main__":
    main()
