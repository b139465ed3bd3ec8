"""What the wire suites of the agents share: a hub and a managed cluster, twice.

Once both are real control planes, once both are embedded servers. GITOPS_OCM_TEST_KUBECONFIG and
GITOPS_OCM_WIRE_SPOKE_KUBECONFIG name a hub and a managed cluster to use instead of real ones started here.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

GIVEN_SPOKE = "GITOPS_OCM_WIRE_SPOKE_KUBECONFIG"
GO_MODULE = Path(__file__).parents[1] / "controlplane"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whole programs are run here: not for the quick run."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.slow)


@dataclass(frozen=True)
class Sides:
    """The kubeconfigs of an administrator of both sides."""

    hub: Path
    spoke: Path
    embedded: bool = False


@pytest.fixture(scope="session")
def kubernetes_sides(
    kubernetes_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Sides]:
    """Two real control planes."""
    if given := os.environ.get(GIVEN_SPOKE):
        yield Sides(kubernetes_kubeconfig, Path(given))
        return
    from gitops_ocm.operator.crds import spoke_crds
    from gitops_ocm.testing.controlplane import control_plane
    from gitops_ocm.testing.programs import ensure

    programs = ensure(os.environ, GO_MODULE)
    with control_plane(programs, tmp_path_factory.mktemp("spoke"), manifests=spoke_crds()) as plane:
        yield Sides(kubernetes_kubeconfig, plane.kubeconfig)


@pytest.fixture(scope="session")
async def embedded_sides(
    embedded_kubeconfig: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Sides]:
    """Two embedded servers."""
    from gitops_ocm.apiserver.serve import serve

    async with serve(tmp_path_factory.mktemp("spoke")) as server:
        yield Sides(embedded_kubeconfig, server.kubeconfig_path, embedded=True)


@pytest.fixture(
    scope="session", params=[pytest.param("kubernetes", marks=pytest.mark.controlplane), "embedded"]
)
def sides(request: pytest.FixtureRequest) -> Sides:
    """Each pair in turn."""
    found: Sides = request.getfixturevalue(f"{request.param}_sides")
    return found
