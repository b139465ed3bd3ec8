"""Records what a real kube-apiserver refuses of the objects in `tests/differential/validation.yaml`.

    .venv/bin/python tools/recorded_faults.py KUBECONFIG

It writes `tests/objects/recorded_faults.json`: by kind and spoiling the causes, or none where the object was
accepted. What is refused by admission, or not decoded, is left out: it is no fault of the object alone.
"""

from __future__ import annotations

import asyncio
import json
import re
import sys
import uuid
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from tests.differential.calls import NAMESPACES, delete, obj, post  # noqa: E402
from tests.differential.play import Answer, Server, connected  # noqa: E402
from tests.differential.script_validation import CASES, spoiled  # noqa: E402

TARGET = ROOT / "tests" / "objects" / "recorded_faults.json"
UID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
INVALID, OK = 422, 300


def causes(answer: Answer, namespace: str) -> list[list[str]] | None:
    """What was found at fault; None where the answer is about something else."""
    if answer.status < OK:
        return []
    if answer.status != INVALID:
        return None
    return [
        [cause["reason"], cause.get("field", ""), UID.sub("UID", cause["message"].replace(namespace, "ns"))]
        for cause in answer.body["details"]["causes"]
    ]


async def recorded(server: Server, namespace: str) -> dict[str, Any]:
    """Every kind's spoilings, each with its causes."""
    found: dict[str, Any] = {}
    for kind, case in CASES.items():
        changes = case.get("bad", ())
        calls = [post(f"{case['path']}?dryRun=All", spoiled(case["good"], change)) for change in changes]
        answers = await server.play(calls, {"ns": namespace})
        told = {c: causes(a, namespace) for c, a in zip(changes, answers, strict=True)}
        found[kind] = {change: each for change, each in told.items() if each is not None}
    return found


async def main(kubeconfig: Path) -> None:
    """Play the creations in a namespace of their own; write the file."""
    namespace = f"recorded-{uuid.uuid4().hex[:6]}"
    async with connected(kubeconfig) as server:
        await server.play([post(NAMESPACES, obj("Namespace", namespace))], {})
        found = await recorded(server, namespace)
        await server.play([delete(f"{NAMESPACES}/{namespace}")], {})
    kinds = [
        f"{json.dumps(kind)}: {{\n"
        + ",\n".join(f"  {json.dumps(change)}: {json.dumps(told)}" for change, told in changes.items())
        + "\n}"
        for kind, changes in found.items()
    ]
    TARGET.write_text("{\n" + ",\n".join(kinds) + "\n}\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
