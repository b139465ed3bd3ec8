"""Webhooks registered in the embedded server are called as a real kube-apiserver calls them.

The same configurations and writes on both: the answers to the writes are the same, and so is everything that
the webhook server was asked.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path
from typing import Any

import orjson
import pytest

from gitops_ocm.kube.cluster import Cluster
from tests.differential.calls import NAMESPACES, Call, delete, obj, post, wait
from tests.differential.compare import Masks, differences
from tests.differential.play import Answer, Server, connected
from tests.differential.script_webhooks import SCRIPT
from tests.differential.webhooks import Webhook, webhook

pytestmark = [pytest.mark.controlplane, pytest.mark.slow]

WORDED_BY_GO = {"mutating webhooks": (4, 10)}
"""Calls whose messages are Go's: what its JSON patch library says, and its decoder of what is no review."""


LATER_HERE = (
    ("metadata", "managedFields"),
    *(("spec", field) for field in ("priority", "preemptionPolicy", "tolerations")),
    ("status", "phase"),
)
"""What the embedded server writes into an object after webhooks have changed it, or before."""


@pytest.fixture(scope="module")
async def hooks(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Webhook]:
    """The webhook server that both are told of."""
    async with webhook(tmp_path_factory.mktemp("webhook")) as found:
        yield found


@pytest.fixture(scope="module")
async def servers(
    embedded_kubeconfig: Path,
    embedded_cluster: Cluster,
    kubernetes_kubeconfig: Path,
    kubernetes_cluster: Cluster,
) -> AsyncIterator[tuple[Server, Server]]:
    """The real server and the embedded one."""
    async with connected(kubernetes_kubeconfig) as real, connected(embedded_kubeconfig) as ours:
        yield real, ours


async def _played(
    server: Server, side: str, hooks: Webhook, namespace: str, script: list[Call]
) -> list[Answer]:
    values = {"ns": namespace, "hooks": f"{hooks.url}/{side}", "ca": hooks.ca}
    within = f"{NAMESPACES}/{namespace}"
    begin = [
        post(NAMESPACES, obj("Namespace", namespace)),
        wait(f"{within}/configmaps/kube-root-ca.crt"),
        wait(f"{within}/serviceaccounts/default"),
    ]
    answers = await server.play([*begin, *script, delete(within)], values)
    return answers[len(begin) : -1]


def _comparable(reviews: list[tuple[str, Mapping[str, Any]]], values: Mapping[str, str]) -> list[str]:
    """Reviews without what differs between any two, the canary's left out."""
    found = []
    for name, review in reviews:
        request = review["request"]
        if (request.get("object") or request.get("oldObject"))["metadata"].get("name") == "canary":
            continue
        kept = {k: v for k, v in request.items() if k not in ("uid", "userInfo")}
        masked = Masks(values).masked(Answer(200, {}, kept))["body"]
        for part, field in LATER_HERE:
            (masked["object"] or {}).get(part, {}).pop(field, None)
        found.append(f"{name} {orjson.dumps(masked, option=orjson.OPT_SORT_KEYS).decode()}")
    return sorted(found)


@pytest.mark.parametrize("scenario", SCRIPT)
async def test_webhooks_are_called_as_by_a_real_server(
    servers: tuple[Server, Server], hooks: Webhook, unique: Callable[[str], str], scenario: str
) -> None:
    """Each write is answered alike, and the webhooks have been asked the same in the same order."""
    namespace = unique("hooks")
    already = len(hooks.asked)
    real, ours = await asyncio.gather(
        _played(servers[0], "real", hooks, namespace, SCRIPT[scenario]),
        _played(servers[1], "ours", hooks, namespace, SCRIPT[scenario]),
    )
    sides = [Masks({"ns": namespace, "hooks": f"/{side}/", "ca": hooks.ca}) for side in ("real", "ours")]
    found, apart = [], set()
    for number, (call, one, other) in enumerate(zip(SCRIPT[scenario], real, ours, strict=True)):
        for difference in differences(sides[0].masked(one), sides[1].masked(other)):
            if number in WORDED_BY_GO.get(scenario, ()) and difference.path.endswith("message"):
                apart.add(number)
            else:
                found.append(f"{number}. {call}\n{difference}")
    assert not found, "\n".join(found)
    assert apart == {*WORDED_BY_GO.get(scenario, ())}, "no longer different"
    asked = Webhook(hooks.url, hooks.ca, hooks.asked[already:])
    values = {"ns": namespace}
    theirs, mine = (_comparable(asked.reviews(side), values) for side in ("real", "ours"))
    assert mine == theirs
