"""Which pull request is meant, from what a CI system puts into the environment; anything can be said by hand.

Pure: the environment and the event's file are handed in. GitHub Actions, Gitea's and Forgejo's (which set the
same variables and one of their own), GitLab CI and Bitbucket Pipelines are known.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from gitops_ocm.forge.bitbucket import Bitbucket
from gitops_ocm.forge.bitbucket_server import BitbucketServer
from gitops_ocm.forge.errors import TargetUnknown
from gitops_ocm.forge.gitea import Gitea
from gitops_ocm.forge.github import GitHub
from gitops_ocm.forge.gitlab import GitLab
from gitops_ocm.forge.model import Forge, Kind

Environment = Mapping[str, str]

OWN_TOKEN = "GITOPS_OCM_FORGE_TOKEN"  # noqa: S105 -- a variable's name
TOKENS: Mapping[Kind, tuple[str, ...]] = {
    Kind.GITHUB: (OWN_TOKEN, "GITHUB_TOKEN", "GH_TOKEN"),
    Kind.GITLAB: (OWN_TOKEN, "GITLAB_TOKEN"),
    Kind.GITEA: (OWN_TOKEN, "GITEA_TOKEN", "FORGEJO_TOKEN", "GITHUB_TOKEN"),
    Kind.BITBUCKET: (OWN_TOKEN, "BITBUCKET_TOKEN"),
    Kind.BITBUCKET_SERVER: (OWN_TOKEN, "BITBUCKET_TOKEN"),
}
"""The variables a token is looked for in."""
_ROOTS = {
    Kind.GITHUB: "https://api.github.com",
    Kind.GITLAB: "https://gitlab.com/api/v4",
    Kind.BITBUCKET: "https://api.bitbucket.org/2.0",
}


@dataclass(frozen=True)
class Target:
    """A pull request and where it is. `fork` says that it comes from another repository.

    `head` is the commit it is at, `run` where people see the pipeline, `pipeline` GitLab's id of it.
    """

    kind: Kind | None = None
    root: str = ""
    repository: str = ""
    number: int = 0
    head: str = ""
    run: str = ""
    fork: bool = False
    pipeline: str = ""
    ca_file: str = ""

    @property
    def page(self) -> str:
        """Where a status leads: to the pipeline, else to the pull request."""
        if self.run or self.kind not in (Kind.BITBUCKET, Kind.BITBUCKET_SERVER):
            return self.run
        if self.kind is Kind.BITBUCKET:
            return f"https://bitbucket.org/{self.repository}/pull-requests/{self.number}"
        project, _, name = self.repository.partition("/")
        site = self.root.partition("/rest/")[0]
        return f"{site}/projects/{project}/repos/{name}/pull-requests/{self.number}"

    def forge(self) -> Forge:
        """The forge that has it."""
        match self.kind:
            case Kind.GITHUB:
                return GitHub(self.repository, self.number, graphql=_graphql(self.root))
            case Kind.GITEA:
                return Gitea(self.repository, self.number)
            case Kind.GITLAB:
                return GitLab(self.repository, self.number, pipeline=self.pipeline)
            case Kind.BITBUCKET:
                return Bitbucket(self.repository, self.number)
            case Kind.BITBUCKET_SERVER:
                return BitbucketServer(self.repository, self.number)
            case None:
                raise _missing("which forge it is", "--forge github|gitlab|gitea|bitbucket|bitbucket-server")


def event_file(environ: Environment) -> str:
    """Where GitHub's and Gitea's runners describe what happened; `""` elsewhere."""
    return environ.get("GITHUB_EVENT_PATH", "")


def detect(environ: Environment, event: Mapping[str, Any]) -> Target:
    """What the environment tells; an empty target where it tells nothing."""
    if environ.get("GITEA_ACTIONS") or environ.get("FORGEJO_ACTIONS"):
        return _actions(environ, event, Kind.GITEA)
    if environ.get("GITHUB_ACTIONS"):
        return _actions(environ, event, Kind.GITHUB)
    if environ.get("GITLAB_CI"):
        return _gitlab(environ)
    if environ.get("BITBUCKET_PR_ID") or environ.get("BITBUCKET_BUILD_NUMBER"):
        return _bitbucket(environ)
    return Target()


def complete(target: Target) -> Target:
    """The target with its forge's usual API; `TargetUnknown` says what is missing, and how to give it."""
    if target.kind is None:
        raise _missing("which forge it is", "--forge github|gitlab|gitea|bitbucket|bitbucket-server")
    if not target.repository:
        raise _missing("which repository it is", "--repository OWNER/NAME")
    if "/" not in target.repository and target.kind is not Kind.GITLAB:
        raise TargetUnknown(f"{target.repository!r} names no repository", hint="--repository OWNER/NAME")
    if target.number <= 0:
        raise _missing(
            "which pull request it is", "--pull-request NUMBER; or run it in a pipeline of a pull request"
        )
    if not target.head:
        raise _missing("which commit was previewed", "--head COMMIT, the pull request's newest")
    root = target.root or _ROOTS.get(target.kind, "")
    if not root:
        raise _missing("where the forge's API is", "--api-url https://HOST/api/v1 (Gitea), …/rest/api/latest")
    return Target(**{**vars(target), "root": root})


def _missing(what: str, hint: str) -> TargetUnknown:
    return TargetUnknown(f"it is not known {what}", hint=f"give {hint}")


def _actions(environ: Environment, event: Mapping[str, Any], kind: Kind) -> Target:
    pull = event.get("pull_request") or {}
    head, base = pull.get("head") or {}, pull.get("base") or {}
    site, repository = environ.get("GITHUB_SERVER_URL", ""), environ.get("GITHUB_REPOSITORY", "")
    run = environ.get("GITHUB_RUN_ID", "") if kind is Kind.GITHUB else environ.get("GITHUB_RUN_NUMBER", "")
    return Target(
        kind=kind,
        root=environ.get("GITHUB_API_URL", "") or (f"{site}/api/v1" if kind is Kind.GITEA and site else ""),
        repository=repository,
        number=int(pull.get("number") or event.get("number") or 0),
        head=head.get("sha", ""),
        run=f"{site}/{repository}/actions/runs/{run}" if site and run else "",
        fork=bool(head) and _name(head) != _name(base),
    )


def _name(side: Mapping[str, Any]) -> str:
    """A side's repository; a fork may have been deleted meanwhile."""
    return str((side.get("repo") or {}).get("full_name", ""))


def _gitlab(environ: Environment) -> Target:
    ours, theirs = (environ.get(f"CI_MERGE_REQUEST_{side}PROJECT_ID", "") for side in ("", "SOURCE_"))
    return Target(
        kind=Kind.GITLAB,
        root=environ.get("CI_API_V4_URL", ""),
        repository=ours or environ.get("CI_PROJECT_ID", ""),
        number=_number(environ.get("CI_MERGE_REQUEST_IID", "")),
        # In a pipeline of merged results the commit is the merge; this variable has the branch's own then.
        head=environ.get("CI_MERGE_REQUEST_SOURCE_BRANCH_SHA", "") or environ.get("CI_COMMIT_SHA", ""),
        run=environ.get("CI_JOB_URL", "") or environ.get("CI_PIPELINE_URL", ""),
        fork=bool(ours and theirs) and ours != theirs,
        pipeline="" if ours != environ.get("CI_PROJECT_ID", "") else environ.get("CI_PIPELINE_ID", ""),
        ca_file=environ.get("CI_SERVER_TLS_CA_FILE", ""),
    )


def _bitbucket(environ: Environment) -> Target:
    repository = environ.get("BITBUCKET_REPO_FULL_NAME", "")
    build = environ.get("BITBUCKET_BUILD_NUMBER", "")
    return Target(
        kind=Kind.BITBUCKET,
        repository=repository,
        number=_number(environ.get("BITBUCKET_PR_ID", "")),
        head=environ.get("BITBUCKET_COMMIT", ""),
        run=f"https://bitbucket.org/{repository}/pipelines/results/{build}" if build else "",
    )


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _graphql(root: str) -> str:
    """`https://api.github.com/graphql`, or `…/api/graphql` beside an Enterprise Server's `…/api/v3`."""
    parts = urlsplit(root)
    if parts.path.rstrip("/").endswith("/v3"):
        return f"{root.rstrip('/').removesuffix('/v3')}/graphql"
    return f"{root.rstrip('/')}/graphql"
