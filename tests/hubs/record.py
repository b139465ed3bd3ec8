"""Write `semantics.json`: what the real kube-apiserver of a kubeconfig answers to every case.

    python -m tests.hubs.record KUBECONFIG

Run it again when the cases change or the supported Kubernetes moves on.
"""

from __future__ import annotations

import asyncio
import sys
import uuid
from pathlib import Path

import orjson

from gitops_ocm.kube.client import HttpCluster
from gitops_ocm.kube.kubeconfig import load_kubeconfig
from gitops_ocm.testing.clusters import install
from tests.hubs.semantics import KINDS, run
from tests.hubs.semantics_cases import CASES
from tests.hubs.semantics_steps import WIDGETS

RECORDED = Path(__file__).with_name("semantics.json")


async def record(kubeconfig: Path) -> None:
    """Run every case in a namespace of its own and keep the outcomes."""
    cluster = HttpCluster(load_kubeconfig(kubeconfig))
    try:
        await install(cluster, [WIDGETS])
        found = {}
        for name, steps in CASES.items():
            namespace = f"semantics-{uuid.uuid4().hex[:8]}"
            body = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}}
            await cluster.create(KINDS["Namespace"], body)
            found[name] = await run(cluster, namespace, steps)
            await cluster.delete(KINDS["Namespace"], "", namespace)
    finally:
        await cluster.close()
    RECORDED.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")


if __name__ == "__main__":
    asyncio.run(record(Path(sys.argv[1])))
