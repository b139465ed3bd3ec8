"""Fixtures of the whole suite: the three clusters, and what must hold after every test.

Clusters live as long as the run: a test takes a namespace of its own (`namespace`) and gives
cluster-scoped things unique names (`unique`). Set GITOPS_OCM_TEST_KUBECONFIG to run the
`kubernetes` half of the matrix against any cluster instead of one started here.
"""

from __future__ import annotations

import asyncio
import gc
import itertools
import os
import signal
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import pytest_asyncio

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.served import NAMESPACES

# Only what every test needs is imported here: a test of a pure function should not load a server.

GIVEN = "GITOPS_OCM_TEST_KUBECONFIG"
HUBS = ("memory", "embedded", "kubernetes")
TESTS = Path(__file__).parent
GO_MODULE = TESTS / "controlplane"
ON_THE_WIRE = ("tests/wire/agent/", "tests/wire/hub/")
LAST_WORDS = 30.0
"""Seconds for tasks that are ending to end, before they count as left behind."""


@pytest.hookimpl(wrapper=True)
def pytest_timeout_set_timer(settings: Any) -> Generator[None, Any, Any]:
    """Have a test's time limit end its event loop as well.

    The limit is raised wherever the test happens to be. In a callback asyncio catches it and goes on, and
    the test would have no limit at all.
    """
    made = yield
    told = signal.getsignal(signal.SIGALRM)
    if settings.method == "signal" and callable(told):

        def over(number: int, frame: FrameType | None) -> None:
            with suppress(RuntimeError):  # no loop runs
                asyncio.get_running_loop().stop()
            told(number, frame)

        signal.signal(signal.SIGALRM, over)
    return made


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> object:
    """Spread tests over processes by what they share (`--dist loadfile`), the largest groups first.

    A file's tests stay together, and so do all that need the real control plane, for each process starts
    its own. The two suites on the wire have control planes that no other test uses.
    """
    if config.option.dist != "loadfile":
        return None
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):  # type: ignore[misc]  # xdist is not typed
        def _split_scope(self, nodeid: str) -> str:
            return _group(nodeid)

    return ByGroup(config, log)


def _group(nodeid: str) -> str:
    path, _, name = nodeid.partition("::")
    on_the_wire = path.startswith(ON_THE_WIRE)
    real = "kubernetes" in name.partition("[")[2] or _is_about_the_real(path)
    if real and (GIVEN in os.environ or not on_the_wire):
        return "controlplane"
    return path.rpartition("/")[0] if on_the_wire else path


@cache
def _is_about_the_real(path: str) -> bool:
    return "mark.controlplane" in (TESTS.parent / path).read_text(encoding="utf-8")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_setupnodes(config: pytest.Config) -> None:
    """Build the control plane before there are processes whose output nobody sees."""
    if "not controlplane" not in config.option.markexpr:
        _build_control_plane(config)


def pytest_collection_finish(session: pytest.Session) -> None:
    """Build the control plane, if it must be, before any test's time limit runs; minutes, once."""
    # The modules, models and items are there to stay: no collection of garbage need walk them again.
    gc.collect()
    gc.freeze()
    if any(item.get_closest_marker("controlplane") for item in session.items):
        _build_control_plane(session.config)


def _build_control_plane(config: pytest.Config) -> None:
    if config.option.collectonly or GIVEN in os.environ:
        return
    from gitops_ocm.errors import GitopsError
    from gitops_ocm.testing.programs import ensure

    capture = config.pluginmanager.getplugin("capturemanager")
    with capture.global_and_fixture_disabled():
        try:
            ensure(os.environ, GO_MODULE)
        except GitopsError as error:
            pytest.exit(f"no control plane for the tests that need one: {error.message}\n{error.hint}", 1)


@pytest.fixture(scope="session")
def kubernetes_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The kubeconfig of a real control plane, which is started unless one was given."""
    if given := os.environ.get(GIVEN):
        yield Path(given)
        return
    from gitops_ocm.api.crd import crds
    from gitops_ocm.testing.controlplane import control_plane
    from gitops_ocm.testing.programs import ensure

    programs = ensure(os.environ, GO_MODULE)
    with control_plane(programs, tmp_path_factory.mktemp("control-plane"), manifests=crds()) as plane:
        yield plane.kubeconfig


@pytest.fixture(scope="session")
def kubectl() -> Path:
    """The kubectl of the same set as the real control plane."""
    from gitops_ocm.testing.programs import ensure

    return ensure(os.environ, GO_MODULE).kubectl


@pytest.fixture(scope="session")
async def embedded_kubeconfig(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Path]:
    """The kubeconfig of the embedded server, which runs in this process."""
    from gitops_ocm.apiserver.serve import serve

    async with serve(tmp_path_factory.mktemp("embedded")) as server:
        yield server.kubeconfig_path


@pytest.fixture(scope="session")
async def memory_cluster() -> AsyncIterator[Cluster]:
    """The embedded store, called in-process."""
    from gitops_ocm.testing.clusters import memory

    async with memory() as cluster:
        yield cluster


@pytest.fixture(scope="session")
async def embedded_cluster(embedded_kubeconfig: Path) -> AsyncIterator[Cluster]:
    """The embedded server over HTTPS."""
    from gitops_ocm.testing.clusters import connected

    async with connected(embedded_kubeconfig) as cluster:
        yield cluster


@pytest.fixture(scope="session")
async def kubernetes_cluster(kubernetes_kubeconfig: Path) -> AsyncIterator[Cluster]:
    """A real kube-apiserver with etcd and kube-controller-manager."""
    from gitops_ocm.testing.clusters import connected

    async with connected(kubernetes_kubeconfig) as cluster:
        yield cluster


def _matrix() -> list[object]:
    return [
        pytest.param(hub, marks=[pytest.mark.controlplane] if hub == "kubernetes" else []) for hub in HUBS
    ]


@pytest.fixture(scope="session", params=_matrix(), ids=HUBS)
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """Each of the three in turn."""
    found: Cluster = request.getfixturevalue(f"{request.param}_cluster")
    return found


@pytest.fixture(scope="session")
def unique() -> Callable[[str], str]:
    """Names that nothing else in this run has (nor an earlier run on the same cluster)."""
    run, numbers = uuid.uuid4().hex[:6], itertools.count(1)
    return lambda prefix: f"{prefix}-{run}-{next(numbers)}"


@pytest.fixture
async def namespace(cluster: Cluster, unique: Callable[[str], str]) -> AsyncIterator[str]:
    """A namespace for one test on `cluster`; it is deleted afterwards, without waiting for that."""
    from gitops_ocm.objects.faults import ApiError

    name = unique("test")
    await cluster.create(NAMESPACES, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    yield name
    with suppress(ApiError):
        await cluster.delete(NAMESPACES, "", name)


@pytest.fixture
def eventually() -> Callable[..., Awaitable[object]]:
    """Wait until a condition holds: `await eventually(lambda: ..., seconds)`."""
    from gitops_ocm.testing.waiting import eventually as wait

    return wait


@pytest.fixture(autouse=True)
def nothing_left_running(request: pytest.FixtureRequest) -> None:
    """No test leaves a task behind that it started; one that is no coroutine cannot."""
    if pytest_asyncio.is_async_test(request.node):
        request.getfixturevalue("no_tasks_left")


@pytest.fixture
async def no_tasks_left() -> AsyncIterator[None]:
    """The tasks of the loop are the same after a test as before it."""
    before = asyncio.all_tasks()
    yield
    left = {t for t in asyncio.all_tasks() - before - {asyncio.current_task()} if not _is_keep_alive(t)}
    if left:
        _, left = await asyncio.wait(left, timeout=LAST_WORDS)
    assert not left, f"left running: {sorted(map(repr, left))}"


def _is_keep_alive(task: asyncio.Task[object]) -> bool:
    """A session's servers keep a task for each connection, and each watch, of clients that last as long.

    Such a client may take its watch up again at any time. One that a test left behind shows by its own task.
    """
    name = getattr(task.get_coro(), "__qualname__", "")
    return name in ("RequestHandler.start", "RequestHandler._handle_request")
