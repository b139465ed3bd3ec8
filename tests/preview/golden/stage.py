"""The fleet of `repository` as it runs, a clone that tells of it, and previews of pull requests made there.

Commits have fixed authors and dates, so each is the same commit on every machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from subprocess import run

from gitops_ocm.decide.contract import MergePatch
from gitops_ocm.desired.compile import DesiredState, compile_tree
from gitops_ocm.desired.tree import memory_tree
from gitops_ocm.objects.ref import Kind, ref_of
from gitops_ocm.preview.formats import Format
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.run import Settings
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import Fleet
from gitops_ocm.verbs.preview import Reviewer
from tests.preview.fleets import CATALOG, merge, told
from tests.preview.fleets import repository as compiled
from tests.preview.golden.cases import CASES, HERE, Case, repository
from tests.preview.golden.pages import whole

INSTALL_NAMESPACE = "open-cluster-management-agent-addon"
DEPLOYMENT = Kind("apps", "Deployment")
NOW = datetime(2026, 1, 5, 9, 30, tzinfo=UTC)
_WRITTEN = "2026-01-05T09:26:00+00:00"
_SIGNED = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "Ann"), ("EMAIL", "ann@example.com"), ("DATE", _WRITTEN))
}
ARTIFACT = "preview.html of this job"
WIDTH = 110
FILES = {
    Format.TEXT: "preview.txt",
    Format.JSON: "preview.json",
    Format.MARKDOWN: "preview.md",
    Format.HTML: "preview.html",
    Format.JUNIT: "junit.xml",
    Format.SARIF: "preview.sarif",
}


@cache
def account() -> Mapping[str, bytes]:
    """What the status branch tells of the fleet at rest."""
    files = repository()
    clusters = [Path(path).stem for path in files if path.startswith("clusters/")]
    fleet = Fleet(clusters, namespaces=("default",))
    for name in clusters:
        fleet.create(make.namespace(INSTALL_NAMESPACE), cluster=name)
    merge(fleet, compiled({}), _state(files))
    for _ in range(12):  # waves of rollouts, each of which waits for what runs
        _start_pods(fleet)
        fleet.advance(minutes=10)
    tree = told(fleet)
    return {path: tree.read(path) for path in tree.entries}


def _start_pods(fleet: Fleet) -> None:
    """What a cluster's own controllers would do: say of each Deployment that it is available."""
    for name, spoke in fleet.simulation.spokes.items():
        for deployment in spoke.list(DEPLOYMENT):
            number = deployment["spec"].get("replicas", 1)
            status = {"replicas": number, "readyReplicas": number, "availableReplicas": number}
            if (deployment.get("status") or {}).get("readyReplicas") != number:
                patch = MergePatch(ref_of(deployment), {"status": status}, subresource="status")
                (result,) = fleet.simulation.act(patch, cluster=name)
                assert result.error is None, result.error


def _state(files: Mapping[str, str]) -> DesiredState:
    state = compile_tree(memory_tree(files), CATALOG)
    assert state.ok, [str(d) for d in state.diagnostics]
    return state


class Stage:
    """A clone with `main`, `status`, and a branch for each case."""

    def __init__(self, path: Path) -> None:
        path.mkdir(parents=True)
        self.path = path
        self._git("init", "--quiet", "--initial-branch=status")
        self._commit(account(), "Report the fleet")
        self._git("checkout", "--quiet", "--orphan", "main")
        self._commit(repository(), "Start")
        for case in CASES:
            self._git("checkout", "--quiet", "-b", case.name, "main")
            self._commit(case.edit(repository()), case.subject)

    def preview(self, case: Case) -> Preview:
        """The preview of a case, by the engine."""
        with Reviewer(self.path) as reviewer:
            return reviewer.review(f"main..{case.name}", now=NOW, settings=Settings(assumed=case.assumed))

    def _git(self, *args: str) -> None:
        run(["git", *args], cwd=self.path, check=True, capture_output=True, env={**_environment(), **_SIGNED})

    def _commit(self, files: Mapping[str, bytes | str], subject: str) -> None:
        self._git("rm", "-r", "--quiet", "--force", "--ignore-unmatch", ".")
        for path, content in files.items():
            target = self.path / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content.encode() if isinstance(content, str) else content)
        self._git("add", "--all")
        self._git("commit", "--quiet", "-m", subject)


def _environment() -> dict[str, str]:
    import os

    return {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "GIT_CONFIG_NOSYSTEM": "1"}


def golden(case: Case, wanted: Format) -> Path:
    """Where what a case looks like is kept; of a page without what all pages share."""
    return HERE / case.name / FILES[wanted]


def looks(case: Case, wanted: Format) -> str:
    """What a case looks like."""
    kept = golden(case, wanted).read_text("utf-8")
    return whole(kept) if wanted is Format.HTML else kept
