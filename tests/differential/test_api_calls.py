"""Over a thousand API calls on the embedded server and on a real kube-apiserver, answered alike.

Where the two differ beyond `allowed`, the embedded server has the bug; those that are known are in `known`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gitops_ocm.kube.cluster import Cluster
from tests.differential.allowed import ALLOWED
from tests.differential.judge import SCRIPT, judged
from tests.differential.known import known
from tests.differential.play import Server, connected

pytestmark = [pytest.mark.controlplane, pytest.mark.slow]

KNOWN = known()


@pytest.fixture(scope="session")
async def servers(
    embedded_kubeconfig: Path,
    embedded_cluster: Cluster,
    kubernetes_kubeconfig: Path,
    kubernetes_cluster: Cluster,
) -> AsyncIterator[tuple[Server, Server]]:
    """The real server and the embedded one, both with OCM's kinds."""
    async with connected(kubernetes_kubeconfig) as real, connected(embedded_kubeconfig) as ours:
        yield real, ours


@pytest.mark.parametrize("scenario", SCRIPT)
async def test_the_answers_are_those_of_a_real_server(
    servers: tuple[Server, Server], unique: Callable[[str], str], scenario: str
) -> None:
    """Status, headers and body of every answer are the same but for what is allowed or known."""
    verdicts = await judged(*servers, scenario, unique("calls"))
    differing = [v for v in verdicts if v.differences and v.number not in KNOWN.get(scenario, ())]
    found = ["\n".join([f"{v.number}. {v.call}", *map(str, v.differences)]) for v in differing]
    assert not found, f"{len(found)} of {len(verdicts)} calls\n\n" + "\n\n".join(found)
    used = frozenset[object]().union(*(v.allowed for v in verdicts))
    idle = [a.reason for a in ALLOWED if scenario in a.scenarios and a not in used]
    assert not idle, "no longer different; take it off the list: " + "; ".join(idle)


def test_what_is_known_is_of_this_script() -> None:
    """Every entry of known.json names a scenario and a call that there are."""
    for scenario, numbers in KNOWN.items():
        assert all(number < len(SCRIPT[scenario]) for number in numbers), scenario
