"""Requests of add-ons' agents for certificates, of which it is recorded what OCM's manager makes.

    python -m tests.decide.addons.request_cases "PROGRAM manager --kubeconfig={kubeconfig} ..."

prints by hand, where OCM's program is at hand, which of them it approves: `THEIRS`.
"""

from __future__ import annotations

import asyncio
import os
import shlex
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL
from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CSRS
from gitops_ocm.testing.controlplane import control_plane
from gitops_ocm.testing.csrs import Subject, cluster_csr
from gitops_ocm.testing.programs import ensure
from tests.decide.addons.configuration_recorder import GO_MODULE, Hub, definitions
from tests.decide.addons.template_cases import Case, cluster_objects, config_map, custom_signer, kube_client

NAME, SIGNER = "hello", "example.com/signer.x"
PREFIX = "system:open-cluster-management"
USER = f"{PREFIX}:cluster:c1:addon:{NAME}:agent:{NAME}-agent"
GROUPS = (f"{PREFIX}:cluster:c1:addon:{NAME}", f"{PREFIX}:addon:{NAME}")
AGENT = f"{PREFIX}:c1:agent1"
HOME = "open-cluster-management-hub"


def subject(user: str = USER, *groups: str) -> Subject:
    """Who a certificate is to be for."""
    return (*((("O", group),) for group in groups or GROUPS), (("CN", user),))


def request(wanted: Subject | None = None, *, by: str = AGENT, **told: Any) -> Object:
    """A request of the add-on's agent on `c1`."""
    annotation = told.pop("annotation", "")
    name = told.pop("name", f"addon-c1-{NAME}-x")
    made = cluster_csr("c1", wanted or subject(), name=name, username=by, groups=["g"], **told)
    made["metadata"]["labels"][ADDON_NAME_LABEL] = NAME
    made["metadata"]["uid"] = "request-1"
    if annotation:
        made["metadata"]["annotations"] = {"open-cluster-management.io/csr-user": annotation}
    return made


CASES: Mapping[str, tuple[Object, bool]] = {
    "as registered": (request(), True),
    "with authenticated": (request(subject(USER, *GROUPS, "system:authenticated")), True),
    "another third group": (request(subject(USER, *GROUPS, "system:other")), False),
    "four groups": (request(subject(USER, *GROUPS, "system:authenticated", "x")), False),
    "one group": (request(subject(USER, GROUPS[0])), False),
    "another's group": (request(subject(USER, GROUPS[0], f"{PREFIX}:addon:other")), False),
    "another user": (request(subject(f"{USER}x")), False),
    "by a person": (request(by="admin"), False),
    "by another cluster": (request(by=f"{PREFIX}:c2:agent1"), False),
    "by a cluster whose name begins alike": (request(by=f"{PREFIX}:c10:agent1"), False),
    "through the gRPC server": (
        request(by=f"system:serviceaccount:{HOME}:grpc-server-sa", annotation=AGENT),
        True,
    ),
    "through the gRPC server, for another": (
        request(by=f"system:serviceaccount:{HOME}:grpc-server-sa", annotation=f"{PREFIX}:c2:agent1"),
        False,
    ),
    "an annotation alone": (request(by="admin", annotation=AGENT), False),
    "another name": (request(name="other-x"), False),
    "usages of a server": (request(usages=["server auth"]), False),
    "an unknown signer": (request(signer="example.com/other"), False),
    "an own signer": (request(subject("u", "any"), signer=SIGNER), True),
    "an own signer, by another cluster": (request(subject("u"), signer=SIGNER, by=f"{PREFIX}:c2:a"), False),
    "an own signer, for another": (request(subject("other"), signer=SIGNER), False),
}

THEIRS = frozenset(
    {
        "an own signer",
        "an own signer, by another cluster",
        "an own signer, for another",
        "another third group",
        "as registered",
        "by a cluster whose name begins alike",
        "through the gRPC server",
        "usages of a server",
        "with authenticated",
    }
)
"""Those that OCM's manager approves."""
STRICTER: Mapping[str, str] = {
    "another third group": "a group that nobody registered is more than what is due",
    "by a cluster whose name begins alike": "one cluster's agent would get another's identity",
    "usages of a server": "as for certificates of clusters",
    "an own signer, by another cluster": "one cluster's agent would get another's identity",
    "an own signer, for another": "a subject that nobody registered is more than what is due",
}
"""Those that we leave to a person, and why."""

LOOKS, LOOK_SECONDS = 5, 2.0
REGISTRATION = [kube_client(), custom_signer(SIGNER, user="u")]


async def approved(program: str) -> list[str]:
    """Which of the cases OCM's manager approves, by name."""
    with tempfile.TemporaryDirectory() as directory:
        programs = ensure(os.environ, GO_MODULE)
        with control_plane(programs, Path(directory), manifests=definitions()) as plane:
            return await _played(program, plane.kubeconfig)


async def _played(program: str, kubeconfig: Path) -> list[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = str(listener.getsockname()[1])
    line = shlex.split(program.replace("{kubeconfig}", str(kubeconfig)).replace("{port}", port))
    cluster = HttpCluster(load_kubeconfig(kubeconfig))
    process = subprocess.Popen(line, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        hub = Hub(cluster, {(r.api_version, r.kind): r for r in await cluster.discover()})
        case = Case(NAME, [config_map()], registration=REGISTRATION)
        for obj in [*cluster_objects(), *case.objects()]:
            await hub.write(obj)
        await asyncio.sleep(LOOKS * LOOK_SECONDS)
        made = {await _ask(kubeconfig, csr, n): name for n, (name, (csr, _)) in enumerate(CASES.items())}
        await asyncio.sleep(LOOKS * LOOK_SECONDS)
        return [
            made[csr["metadata"]["name"]] for csr in (await cluster.list(CSRS)).items if _is_approved(csr)
        ]
    finally:
        process.terminate()
        process.wait()
        await cluster.close()


async def _ask(kubeconfig: Path, csr: Object, number: int) -> str:
    """Make a request as whoever is said to have made it; its name."""
    spec = {k: v for k, v in csr["spec"].items() if k not in ("username", "groups")}
    kept = {k: v for k, v in csr["metadata"].items() if k in ("labels", "annotations")}
    name = f"{csr['metadata']['name']}{number}"
    who = load_kubeconfig(kubeconfig).acting_as(csr["spec"]["username"], ["system:masters"])
    cluster = HttpCluster(who)
    try:
        await cluster.create(CSRS, {**csr, "metadata": {**kept, "name": name}, "spec": spec})
    finally:
        await cluster.close()
    return name


def _is_approved(csr: Object) -> bool:
    return any(c["type"] == "Approved" for c in (csr.get("status") or {}).get("conditions") or ())


if __name__ == "__main__":
    for found in sorted(asyncio.run(approved(sys.argv[1]))):
        print(repr(found))
