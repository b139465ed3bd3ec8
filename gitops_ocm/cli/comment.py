"""`gitops-ocm comment`: a preview as a pull request's one comment and its commit's status."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.commit_options import repo_options
from gitops_ocm.cli.options import preview_cache, together
from gitops_ocm.cli.preview_output import Output, output_options, show
from gitops_ocm.errors import GitopsError

if TYPE_CHECKING:
    from gitops_ocm.forge.detect import Target
    from gitops_ocm.preview.model import Preview
    from gitops_ocm.verbs.commenting import Announcement

_KINDS = ("github", "gitlab", "gitea", "bitbucket", "bitbucket-server")

target_options = together(
    click.option("--forge", type=click.Choice(_KINDS), help="What runs there; Forgejo is gitea."),
    click.option("--api-url", metavar="URL", help="The root of its API."),
    click.option("--repository", metavar="OWNER/NAME", help="The repository (GitLab: also a project's id)."),
    click.option("--pull-request", type=click.IntRange(min=1), metavar="NUMBER", help="Which one."),
    click.option("--head", metavar="COMMIT", help="The newest commit of the pull request, as previewed."),
    click.option("--run-url", metavar="URL", help="Where the status leads."),
    click.option("--ca-file", metavar="FILE", help="The authority that signed the forge's certificate."),
)
"""Where to post; what is not given is read from the environment of a pipeline."""


@dataclass(frozen=True)
class Manner:
    """How to post: by whose token, in whose name, for which of several fleets."""

    name: str
    author: str
    token_file: Path | None
    plain_http: bool

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Manner:
        """Takes its options out of all of the command's."""
        return cls(**{name: options.pop(name) for name in cls.__dataclass_fields__})


@click.command()
@click.argument("revisions", default="", metavar="[BASE..HEAD]")
@repo_options
@click.option(
    "--body", type=click.File("r", encoding="utf-8"), help="Post this Markdown (-: standard input) instead."
)
@click.option("--verdict", default="", metavar="TEXT", help="With --body: the status' line.")
@click.option(
    "--state",
    type=click.Choice(["success", "failure", "error", "pending"]),
    help="With --body: the status; none is set without it.",
)
@click.option(
    "--name", default="", metavar="FLEET", help="Whose comment, of several fleets.  [default: --path]"
)
@click.option("--author", default="", metavar="LOGIN", help="Who posts, where the forge does not tell.")
@click.option("--token-file", type=click.Path(path_type=Path), help="Instead of the environment.")
@click.option("--plain-http", is_flag=True, help="Send the token in clear text.")
@target_options
@output_options
def comment(
    revisions: str,
    repo: Path,
    path: str,
    status_ref: str,
    body: Any,
    verdict: str,
    state: str | None,
    outputs: tuple[Output, ...],
    full: bool,
    artifact: str,
    **options: Any,
) -> int:
    """Show reviewers what a merge would do: preview it, put that up as one comment, and set a status.

    The comment is edited in place from then on. In pipelines of GitHub, Gitea, Forgejo, GitLab and
    Bitbucket the pull request is known. The token comes from GITOPS_OCM_FORGE_TOKEN or the forge's own
    variable (GITHUB_TOKEN, GITLAB_TOKEN, GITEA_TOKEN, BITBUCKET_TOKEN). Exits as `preview` does: 0
    nothing would change, 1 something would, 2 trouble, 3 refused; with --body 0 or 2.
    """
    from gitops_ocm.verbs.commenting import failure

    manner = Manner.taken_from(options)
    target = _target(options)
    fleet = manner.name or path.strip("./")
    if body is not None:
        return _post(target, _given(body.read(), verdict, state), fleet, manner)
    if verdict or state:
        raise click.UsageError("--verdict and --state are for --body")
    try:
        found = _reviewed(repo, revisions, path, status_ref)
    except GitopsError as error:
        try:
            _post(target, failure(error), fleet, manner)
        except GitopsError as other:
            click.echo(f"no comment either: {other.message}", err=True)
        raise
    code = show(found, outputs, full=full, artifact=artifact)
    _post(target, _announced(found, artifact), fleet, manner)
    return code


def _reviewed(repo: Path, revisions: str, path: str, status_ref: str) -> Preview:
    from gitops_ocm.verbs.preview import Reviewer

    with Reviewer(repo, path=path, status_ref=status_ref, cache=preview_cache()) as reviewer:
        return reviewer.review(revisions, now=datetime.now(UTC))


def _announced(found: Preview, artifact: str) -> Announcement:
    from gitops_ocm.forge.model import State
    from gitops_ocm.preview.formats import Format, render
    from gitops_ocm.preview.formats.words import verdict
    from gitops_ocm.verbs.commenting import Announcement

    state = State.FAILURE if found.refused else State.SUCCESS
    return Announcement(render(found, Format.MARKDOWN, artifact=artifact), verdict(found), state)


def _given(text: str, verdict: str, state: str | None) -> Announcement:
    from gitops_ocm.forge.model import State
    from gitops_ocm.verbs.commenting import Announcement

    return Announcement(text, verdict, State(state) if state else None)


def _post(target: Target, told: Announcement, fleet: str, manner: Manner) -> int:
    """Put it up; a pipeline of a fork may not, which is no fault of anybody's."""
    from gitops_ocm.forge.errors import NoToken, NotThere, Refused
    from gitops_ocm.runtime.clock import SystemClock
    from gitops_ocm.verbs.commenting import Way, announce, token_for

    assert target.kind is not None
    try:
        token = token_for(target.kind, os.environ, manner.token_file)
        way = Way(token, manner.author, _proxy(target.root), manner.plain_http)
        for line in asyncio.run(announce(target, replace(told, fleet=fleet), way, SystemClock())):
            click.echo(line, err=True)
    except (NoToken, NotThere, Refused) as error:
        if not target.fork:
            raise
        click.echo(f"no comment: {error.message}", err=True)
        click.echo(
            "This pull request comes from a fork, whose pipelines get no token to write with. The preview is "
            "in this log and in the pipeline's artifacts; to have the comment, push the branch to the "
            "repository itself.",
            err=True,
        )
    return 0


def _target(options: Mapping[str, Any]) -> Target:
    """What the environment tells, and over that what was given."""
    from gitops_ocm.forge.detect import complete, detect, event_file
    from gitops_ocm.forge.model import Kind

    found = detect(os.environ, _event(event_file(os.environ)))
    if (given := options["forge"]) and Kind(given) is not found.kind:
        found = type(found)(kind=Kind(given))
    names = {"api_url": "root", "pull_request": "number", "run_url": "run"}
    chosen = {names.get(name, name): value for name, value in options.items() if value and name != "forge"}
    return complete(replace(found, **chosen))


def _event(path: str) -> Mapping[str, Any]:
    """What a runner of GitHub's kind says has happened."""
    import orjson

    if not path:
        return {}
    try:
        event = orjson.loads(Path(path).read_bytes())
    except (OSError, orjson.JSONDecodeError) as error:
        raise GitopsError(f"the event cannot be read: {error}", hint="check GITHUB_EVENT_PATH") from None
    return event if isinstance(event, dict) else {}


def _proxy(url: str) -> str:
    """The proxy that the environment wants for a URL."""
    from urllib.parse import urlsplit
    from urllib.request import getproxies, proxy_bypass

    parts = urlsplit(url)
    return "" if proxy_bypass(parts.netloc) else getproxies().get(parts.scheme, "")
