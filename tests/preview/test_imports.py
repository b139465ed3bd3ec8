"""What `gitops-ocm preview` loads: half of a preview's time is imports, so nothing it can do without."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.preview.clones import account, cloned, texts
from tests.preview.fleets import ordinary

pytestmark = pytest.mark.slow

DO_WITHOUT = (
    "aiohttp",
    "asyncio",
    "cryptography",
    "jq",
    "jwt",
    "kubernetes",
    "prometheus_client",
    "ruamel",
    "sqlite3",
    "ssl",
    "structlog",
    "watchdog",
    "gitops_ocm.apiserver",
    "gitops_ocm.decide.agent.certificates",
    "gitops_ocm.decide.agent_table",
    "gitops_ocm.hub",
    "gitops_ocm.klusterlet",
    "gitops_ocm.kube",
    "gitops_ocm.live",
    "gitops_ocm.objects.cel.environment",
    "gitops_ocm.objects.crd_checks",
    "gitops_ocm.operator",
    "gitops_ocm.sync",
)
_RUN = """
import sys
from gitops_ocm.cli.main import main
try:
    main(["preview", "--repo", sys.argv[1]])
except SystemExit as end:
    print(*sys.modules, sep="\\n", file=sys.stderr)
    raise
"""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """The modules of a process that has shown a preview."""
    clone = cloned(tmp_path_factory.mktemp("of") / "fleet", texts(ordinary()), account(ordinary()))
    clone.write({"works/one.yaml": None})
    env = {"PATH": os.environ["PATH"], "HOME": str(clone.path), "XDG_CACHE_HOME": str(clone.path / ".git")}
    done = subprocess.run(
        [sys.executable, "-c", _RUN, str(clone.path)],
        capture_output=True,
        text=True,
        check=False,
        env=env,
        cwd=Path(__file__).parents[2],
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert "works/one.yaml" in done.stdout
    return frozenset(done.stderr.splitlines())


@pytest.mark.parametrize("module", DO_WITHOUT)
def test_does_without(loaded: frozenset[str], module: str) -> None:
    """None of these is loaded by a preview that is shown."""
    assert "gitops_ocm.preview.run" in loaded
    assert module not in loaded
