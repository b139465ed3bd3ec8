"""Over a thousand API calls on the embedded server and on a real kube-apiserver, answered alike.

Where the two differ beyond `allowed`, the embedded server has the bug.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from gitops_ocm.decide.writes import is_deleting
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.ref import Object
from gitops_ocm.objects.served import CRDS
from gitops_ocm.testing.clusters import install
from tests.differential.allowed import ALLOWED
from tests.differential.judge import SCRIPT, judged
from tests.differential.play import Server, connected

pytestmark = [pytest.mark.controlplane, pytest.mark.slow]


@pytest.fixture(scope="session")
async def connections(
    embedded_kubeconfig: Path,
    embedded_cluster: Cluster,
    kubernetes_kubeconfig: Path,
    kubernetes_cluster: Cluster,
) -> AsyncIterator[tuple[Server, Server]]:
    """The real server and the embedded one, both with OCM's kinds."""
    async with connected(kubernetes_kubeconfig) as real, connected(embedded_kubeconfig) as ours:
        yield real, ours


@pytest.fixture
async def servers(
    connections: tuple[Server, Server], embedded_cluster: Cluster, kubernetes_cluster: Cluster
) -> tuple[Server, Server]:
    """Both, with what other tests of this run have defined on one of them on the other too."""
    pair = (kubernetes_cluster, embedded_cluster)
    real, ours = [{crd["metadata"]["name"]: crd for crd in (await c.list(CRDS)).items} for c in pair]
    for cluster, have, want in ((kubernetes_cluster, real, ours), (embedded_cluster, ours, real)):
        lacking = [want[name] for name in sorted(want.keys() - have.keys()) if not is_deleting(want[name])]
        await install(cluster, [_as_written(crd) for crd in lacking])
    return connections


def _as_written(crd: Object) -> Object:
    """A definition without what a server made of it."""
    kept = {"apiVersion": CRDS.api_version, "kind": CRDS.kind, "spec": crd["spec"]}
    return {**kept, "metadata": {"name": crd["metadata"]["name"]}}


@pytest.mark.parametrize("scenario", SCRIPT)
async def test_the_answers_are_those_of_a_real_server(
    servers: tuple[Server, Server], unique: Callable[[str], str], scenario: str
) -> None:
    """Status, headers and body of every answer are the same but for what is allowed, and that differs."""
    verdicts = await judged(*servers, scenario, unique("calls"))
    differing = [v for v in verdicts if v.differences]
    found = ["\n".join([f"{v.number}. {v.call}", *map(str, v.differences)]) for v in differing]
    assert not found, f"{len(found)} of {len(verdicts)} calls\n\n" + "\n\n".join(found)
    idle = [f"{v.number}. {a.path} ({a.reason})" for v in verdicts for a in v.idle]
    assert not idle, "no longer different; take it off the list:\n" + "\n".join(idle)


def test_what_is_allowed_is_of_this_script() -> None:
    """Every entry of the list names scenarios and calls that there are."""
    for entry in ALLOWED:
        for scenario, numbers in entry.calls.items():
            assert all(number < len(SCRIPT[scenario]) for number in numbers), (scenario, entry.reason)
