"""The template's pipeline as a runner would run it: its own shell, real git, and a Gitea that keeps state."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from gitops_ocm import __version__
from gitops_ocm.forge.bodies import mark_of
from gitops_ocm.forge.model import Answer
from gitops_ocm.testing.commands import environment
from tests.forge.gitea_like import GiteaLike, running, served
from tests.forge.gitlab_like import GitLabLike

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
TEMPLATE = ROOT / "repo-template"
GOOD = "apiVersion: v1\nkind: Namespace\nmetadata: {name: fleet}\n"


def loaded(path: Path) -> Any:
    """A YAML file's content."""
    return YAML(typ="safe", pure=True).load(path)


WORKFLOW = loaded(TEMPLATE / ".github/workflows/preview.yaml")
STEPS = WORKFLOW["jobs"]["preview"]["steps"]
SCRIPT = next(step["run"] for step in STEPS if step.get("name") == "Preview")


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What the runner checks out: a commit that adds a namespace to main."""
    env = environment(tmp_path, GIT_CONFIG_GLOBAL=os.devnull)

    def git(folder: Path, *args: str) -> None:
        name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
        subprocess.run(["git", *name, *args], cwd=folder, env=env, check=True, capture_output=True)

    origin, folder = tmp_path / "origin", tmp_path / "checkout"
    (origin / "hub").mkdir(parents=True)
    git(origin, "init", "--quiet", "--initial-branch=main")
    (origin / "hub/a.yaml").write_text(GOOD)
    git(origin, "add", ".")
    git(origin, "commit", "--quiet", "-m", "Start")
    git(tmp_path, "clone", "--quiet", str(origin), str(folder))
    (folder / "hub/b.yaml").write_text(GOOD.replace("fleet", "more"))
    git(folder, "add", ".")
    git(folder, "commit", "--quiet", "-m", "More")
    return folder


async def run(checkout: Path, gitea: GiteaLike, *, token: str = "ours", fork: bool = False) -> Any:
    """The step's script, run as the runner does; how it ended."""
    programs = checkout.parent / "bin"
    programs.mkdir(exist_ok=True)
    command = programs / "gitops-ocm"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m gitops_ocm "$@"\n')
    command.chmod(0o755)
    base = {"full_name": "acme/fleet"}
    head = {"sha": gitea.head, "repo": {"full_name": "bob/fleet"} if fork else base}
    event = checkout.parent / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 5, "head": head, "base": {"repo": base}}}))
    async with served(gitea) as api:
        env = environment(
            checkout.parent,
            PATH=f"{programs}{os.pathsep}{os.environ['PATH']}",
            PYTHONPATH=str(ROOT),
            GITEA_ACTIONS="true",
            GITHUB_ACTIONS="true",
            GITHUB_API_URL=api,
            GITHUB_SERVER_URL="http://git.example",
            GITHUB_REPOSITORY="acme/fleet",
            GITHUB_RUN_NUMBER="12",
            GITHUB_EVENT_PATH=str(event),
            GITHUB_STEP_SUMMARY=str(checkout.parent / "summary.md"),
            GITHUB_TOKEN=token,
            BASE="main",
        )
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", SCRIPT]
        return await asyncio.to_thread(
            subprocess.run, shell, cwd=checkout, env=env, capture_output=True, text=True, check=False
        )


GITLAB_JOB = loaded(TEMPLATE / ".gitlab-ci.yml")["preview"]


def job_script(folder: Path, environ: dict[str, str]) -> Any:
    """GitLab's job as its runner runs it: `sh -e`, in a clone that has the merge request's commit alone."""
    programs = folder.parent / "bin"
    programs.mkdir(exist_ok=True)
    for name, module in (("gitops-ocm", '-m gitops_ocm "$@"'), ("python", '-c ""')):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module}\n')
        (programs / name).chmod(0o755)
    env = {
        "PATH": f"{programs}{os.pathsep}/usr/bin{os.pathsep}/bin",
        "HOME": str(folder.parent),
        "PYTHONPATH": str(ROOT),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GITLAB_CI": "true",
        "CI_PROJECT_PATH": "acme/fleet",
        "CI_PROJECT_ID": "77",
        "CI_MERGE_REQUEST_PROJECT_ID": "77",
        "CI_MERGE_REQUEST_PROJECT_PATH": "acme/fleet",
        "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "77",
        "CI_MERGE_REQUEST_IID": "5",
        "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "CI_PIPELINE_ID": "88",
        "CI_JOB_URL": "https://gitlab.example/acme/fleet/-/jobs/9",
        **GITLAB_JOB["variables"],
        **environ,
    }
    script = "\n".join(GITLAB_JOB["script"])
    return subprocess.run(
        ["sh", "-ec", script], cwd=folder, env=env, capture_output=True, text=True, check=False
    )


def writes(gitea: GiteaLike) -> list[str]:
    """The requests that were no questions."""
    return [asked for asked in gitea.asked if not asked.startswith("GET")]


async def test_one_comment(checkout: Path) -> None:
    """The first run writes a comment and a status, and leaves the artifacts."""
    gitea = GiteaLike()
    for _ in range(4):
        gitea.write("ann", "<!-- gitops-ocm preview -->\nnot ours")
    done = await run(checkout, gitea)
    assert done.returncode == 0, done.stderr
    *others, ours = gitea.bodies()
    assert others == ["<!-- gitops-ocm preview -->\nnot ours"] * 4
    mark = mark_of(ours)
    assert mark is not None
    assert mark.head == gitea.head
    assert "1 new" in ours
    (status,) = gitea.statuses
    assert (status["status"], status["context"]) == ("success", "gitops-ocm/preview")
    assert status["target_url"] == "http://git.example/acme/fleet/actions/runs/12"
    assert json.loads((checkout / "preview/preview.json").read_bytes())["kind"] == "Preview"
    assert "1 new" in done.stdout
    assert (checkout.parent / "summary.md").read_text() == (checkout / "preview/preview.md").read_text()


async def test_edited_in_place(checkout: Path) -> None:
    """A later run writes the same comment anew; a forge that falters meanwhile is asked again."""
    gitea = GiteaLike()
    mine = gitea.write("ci-bot", "<!-- gitops-ocm preview head=0 -->\nold")
    gitea.faults = [("GET", Answer(502)), ("PATCH", Answer(429, None, {"retry-after": "0"}))]
    done = await run(checkout, gitea)
    assert done.returncode == 0, done.stderr
    assert list(gitea.comments) == [mine]
    assert "1 new" in gitea.bodies()[0]


async def test_overtaken(checkout: Path) -> None:
    """A run whose commit is no longer the newest leaves the comment alone."""
    gitea = GiteaLike()
    served_head, gitea.head = gitea.head, "2" * 40
    event_of = GiteaLike(head=served_head, comments=gitea.comments)
    gitea.write("ci-bot", f"<!-- gitops-ocm preview head={'2' * 40} -->\nnewer")
    event_of._pull = gitea._pull  # type: ignore[method-assign]
    done = await run(checkout, event_of)
    assert done.returncode == 0, done.stderr
    assert "at another commit by now" in done.stderr
    assert gitea.bodies() == [f"<!-- gitops-ocm preview head={'2' * 40} -->\nnewer"]


@pytest.mark.parametrize("token", ["", "reader", "s3cret"])
@pytest.mark.parametrize("fork", [True, False])
async def test_without_rights(checkout: Path, token: str, fork: bool) -> None:
    """A fork's pipeline goes on and says why there is no comment; any other fails and says what it needs."""
    gitea = GiteaLike()
    done = await run(checkout, gitea, token=token, fork=fork)
    assert done.returncode == (0 if fork else 2), done.stderr
    assert ("comes from a fork" in done.stderr) is fork
    assert "1 new" in done.stdout
    assert gitea.comments == {}
    assert "s3cret" not in done.stdout + done.stderr


async def test_a_broken_change(checkout: Path) -> None:
    """What the sync would refuse fails the job and the status; the comment is there all the same."""
    (checkout / "hub/b.yaml").write_text(GOOD + "dada: 1\n")
    name = ("-c", "user.name=Ann", "-c", "user.email=ann@example.com")
    subprocess.run(["git", *name, "commit", "--quiet", "-am", "Break"], cwd=checkout, check=True)
    gitea = GiteaLike()
    done = await run(checkout, gitea)
    assert done.returncode == 3, done.stderr
    assert [status["status"] for status in gitea.statuses] == ["failure"]
    assert "refused" in gitea.bodies()[0]


@pytest.fixture
def merge_request(checkout: Path) -> Path:
    """What GitLab's runner checks out: the commit of a merge request, detached, without any branch."""
    env = environment(checkout.parent, GIT_CONFIG_GLOBAL=os.devnull)

    def git(*args: str, folder: Path = checkout) -> str:
        done = subprocess.run(["git", *args], cwd=folder, env=env, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("push", "--quiet", "origin", "HEAD:refs/heads/topic")
    folder = checkout.parent / "job"
    folder.mkdir()
    git("init", "--quiet", folder=folder)
    git("remote", "add", "origin", str(checkout.parent / "origin"), folder=folder)
    git("fetch", "--quiet", "origin", "refs/heads/topic:refs/pipelines/88", folder=folder)
    git("checkout", "--quiet", "--detach", "refs/pipelines/88", folder=folder)
    return folder


async def test_gitlab_s_job(merge_request: Path) -> None:
    """GitLab's script finds its target and the merge request, writes one note and a status, and its files."""
    lab = GitLabLike(head=_head(merge_request))
    async with running(lab.handle) as site:
        environ = {"CI_API_V4_URL": f"{site}/api/v4", "GITLAB_TOKEN": "s3cret", "CI_COMMIT_SHA": lab.head}
        done = await asyncio.to_thread(job_script, merge_request, environ)
    assert done.returncode == 0, done.stderr
    assert lab.refused == []
    (note,) = lab.notes
    mark = mark_of(note)
    assert mark is not None
    assert mark.head == lab.head
    assert "1 new" in note
    assert [(s["state"], s["name"], s["pipeline_id"]) for s in lab.statuses] == [
        ("success", "gitops-ocm/preview", "88")
    ]
    assert "there is no branch status yet" in done.stdout
    assert {path.name for path in (merge_request / "preview").iterdir()} == {
        "preview.md",
        "preview.html",
        "preview.json",
    }
    assert "s3cret" not in done.stdout + done.stderr


@pytest.mark.parametrize(("source", "status"), [("78", 0), ("77", 2)])
async def test_gitlab_s_job_without_a_token(merge_request: Path, source: str, status: int) -> None:
    """A fork's job ends well and says why there is no note; without a fork the missing token is named."""
    environ = {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": source, "CI_COMMIT_SHA": _head(merge_request)}
    done = await asyncio.to_thread(job_script, merge_request, environ)
    assert done.returncode == status, done.stderr
    assert "there is no token for gitlab" in done.stderr
    assert ("comes from a fork" in done.stderr) is (source == "78")
    assert "1 new" in done.stdout


def _head(folder: Path) -> str:
    return subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=folder, check=True, capture_output=True, text=True
    ).stdout.strip()


def test_least_privilege() -> None:
    """The workflow may read code, write comments and statuses; actions are pinned; nothing is inlined."""
    assert WORKFLOW["permissions"] == {"contents": "read", "pull-requests": "write", "statuses": "write"}
    assert list(WORKFLOW["on"]) == ["pull_request"]
    assert WORKFLOW["concurrency"]["cancel-in-progress"] is True
    uses = [step["uses"].partition("@")[2] for step in STEPS if "uses" in step]
    assert all(len(commit) == 40 for commit in uses)
    assert not any("${{" in step.get("run", "") for step in STEPS)


def test_both_pipelines_run_the_same() -> None:
    """GitLab's job runs GitHub's command, of this version, on merge requests alone."""
    job = loaded(TEMPLATE / ".gitlab-ci.yml")["preview"]
    branch = "$CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
    assert job["variables"] == {"GIT_DEPTH": "0", "GITOPS_OCM": f"gitops-ocm=={__version__}"}
    assert f"gitops-ocm=={__version__}" in json.dumps(STEPS)
    outputs = (
        "-o text -o markdown=preview/preview.md -o html=preview/preview.html -o json=preview/preview.json"
    )
    assert outputs in SCRIPT
    assert outputs in job["script"][-1]
    assert f'gitops-ocm comment "origin/{branch}...HEAD"' in job["script"][-1]
    assert job["rules"] == [{"if": '$CI_PIPELINE_SOURCE == "merge_request_event"'}]
