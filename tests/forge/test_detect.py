"""Which pull request is meant, in every pipeline that is known."""

from __future__ import annotations

from typing import Any

import pytest

from gitops_ocm.forge.detect import Target, complete, detect
from gitops_ocm.forge.errors import TargetUnknown
from gitops_ocm.forge.http import check_root
from gitops_ocm.forge.model import Kind

HEAD = "1" * 40
ACTIONS = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/fleet", "GITHUB_RUN_ID": "9"}
GITHUB = ACTIONS | {"GITHUB_API_URL": "https://api.github.com", "GITHUB_SERVER_URL": "https://github.com"}
FORGEJO = ACTIONS | {"FORGEJO_ACTIONS": "true", "GITHUB_SERVER_URL": "https://git.example"}
GITLAB = {
    "GITLAB_CI": "true",
    "CI_API_V4_URL": "https://gitlab.example/api/v4",
    "CI_PROJECT_ID": "7",
    "CI_MERGE_REQUEST_PROJECT_ID": "7",
    "CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "7",
    "CI_MERGE_REQUEST_IID": "5",
    "CI_COMMIT_SHA": HEAD,
    "CI_PIPELINE_ID": "88",
}
BITBUCKET = {
    "BITBUCKET_BUILD_NUMBER": "3",
    "BITBUCKET_PR_ID": "5",
    "BITBUCKET_REPO_FULL_NAME": "acme/fleet",
    "BITBUCKET_COMMIT": HEAD[:12],
}


def event(source: str | None = "acme/fleet") -> dict[str, Any]:
    """What a runner of GitHub's kind writes; a fork may be gone."""
    head = {"sha": HEAD, "repo": {"full_name": source} if source else None}
    return {"pull_request": {"number": 5, "head": head, "base": {"repo": {"full_name": "acme/fleet"}}}}


@pytest.mark.parametrize(
    ("environ", "told", "kind", "root", "fork"),
    [
        (GITHUB, event(), Kind.GITHUB, "https://api.github.com", False),
        (GITHUB, event("bob/fleet"), Kind.GITHUB, "https://api.github.com", True),
        (GITHUB, event(None), Kind.GITHUB, "https://api.github.com", True),
        (FORGEJO, event(), Kind.GITEA, "https://git.example/api/v1", False),
        (GITLAB, {}, Kind.GITLAB, "https://gitlab.example/api/v4", False),
        (
            GITLAB | {"CI_MERGE_REQUEST_SOURCE_PROJECT_ID": "8"},
            {},
            Kind.GITLAB,
            GITLAB["CI_API_V4_URL"],
            True,
        ),
        (BITBUCKET, {}, Kind.BITBUCKET, "https://api.bitbucket.org/2.0", False),
    ],
)
def test_pipelines(environ: dict[str, str], told: dict[str, Any], kind: Kind, root: str, fork: bool) -> None:
    """Forge, API, pull request, commit, and whether it comes from a fork."""
    found = complete(detect(environ, told))
    assert (found.kind, found.root, found.number, found.fork) == (kind, root, 5, fork)
    assert HEAD.startswith(found.head)
    assert found.repository in ("acme/fleet", "7")


def test_merged_results() -> None:
    """In a pipeline of merged results the commit is the branch's own, not the merge."""
    merged = GITLAB | {"CI_MERGE_REQUEST_SOURCE_BRANCH_SHA": HEAD, "CI_COMMIT_SHA": "2" * 40}
    assert detect(merged, {}).head == HEAD


@pytest.mark.parametrize(
    ("target", "missing"),
    [
        (Target(), "which forge"),
        (detect(GITHUB, {}), "which pull request"),
        (Target(Kind.GITHUB), "which repository"),
        (Target(Kind.GITHUB, repository="fleet"), "names no repository"),
        (Target(Kind.GITHUB, "", "a/b", 5), "which commit"),
        (Target(Kind.GITEA, "", "a/b", 5, HEAD), "where the forge's API is"),
    ],
)
def test_what_is_missing(target: Target, missing: str) -> None:
    """Each thing that is not known is named, with the option that gives it."""
    with pytest.raises(TargetUnknown, match=missing) as raised:
        complete(target)
    assert "--" in raised.value.hint


@pytest.mark.parametrize("root", ["http://git.example/api/v1", "ftp://x", "git.example", "https://u:p@x/api"])
def test_a_token_is_not_sent_in_clear(root: str) -> None:
    """Nowhere but over TLS, unless that was asked for; and to no URL that has secrets in it."""
    with pytest.raises(TargetUnknown) as raised:
        check_root(root, plain_http=False)
    assert "u:p" not in raised.value.message
    assert check_root("http://127.0.0.1:3000/api/v1/", plain_http=False) == "http://127.0.0.1:3000/api/v1"
