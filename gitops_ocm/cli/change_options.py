"""Options of commands that change a hub (`--dry-run`, `--commit[=BRANCH]`, `--repo`) and what they mean."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.flags import switch, verbosity_option
from gitops_ocm.cli.install_options import failing, within
from gitops_ocm.cli.options import connect, together

if TYPE_CHECKING:
    from gitops_ocm.kube.client import HttpCluster
    from gitops_ocm.verbs.commit import Made, RepositoryTarget
    from gitops_ocm.verbs.targets import Target
    from gitops_ocm.verbs.voice import Voice


change_options = together(
    switch("--dry-run", help="Ask the server what it would say; nothing is written."),
    verbosity_option,
    click.option(
        "--commit",
        "branch",
        is_flag=False,
        flag_value="",
        metavar="[=BRANCH]",
        help="Write the change as a commit into the fleet's repository instead, on the branch that "
        "is checked out or on this one.",
    ),
    click.option(
        "--repo",
        "repo",
        metavar="DIR",
        type=click.Path(path_type=Path),
        help="A clone of the fleet's repository, for --commit.  [default: .]",
    ),
)
"""`--dry-run`, `--commit[=BRANCH]` and `--repo`, handed to the command as a `Destination`'s parts."""


@dataclass(frozen=True)
class Destination:
    """What the shared options of a changing command came to."""

    kubeconfig: Path | None
    context: str | None
    dry_run: bool = False
    branch: str | None = None
    repo: Path | None = None
    limit: float | None = None

    @classmethod
    def taken_from(cls, options: dict[str, Any]) -> Destination:
        """Takes its options out of all of a command's."""
        return cls(**{name: options.pop(name) for name in cls.__dataclass_fields__ if name in options})

    def run(self, work: Callable[[Target, Voice], Awaitable[int | None]], subject: str) -> int:
        """Carry out a verb on its target, and tell what became of it; the exit status."""
        if self.repo is not None and self.branch is None:
            raise click.UsageError("--repo is for --commit")
        if self.dry_run:
            click.echo("gitops-ocm is running in dry-run mode", err=True)
        with failing():
            return asyncio.run(within(self.limit, self._run(work, subject)))

    async def _run(self, work: Callable[[Target, Voice], Awaitable[int | None]], subject: str) -> int:
        from gitops_ocm.verbs.targets import HubTarget

        if self.branch is not None:
            return await self._commit(self.branch, work, subject)
        cluster = connect(self.kubeconfig, self.context)
        try:
            target = HubTarget(cluster, dry_run=self.dry_run)
            await target.check_hub()
            return await work(target, voice()) or 0
        finally:
            await cluster.close()

    async def _commit(
        self, branch: str, work: Callable[[Target, Voice], Awaitable[int | None]], subject: str
    ) -> int:
        from gitops_ocm.verbs.commit import repository_target

        cluster = await self._hub_if_any()
        try:
            async with repository_target(self.repo or Path(), branch, cluster) as target:
                await target.check_hub()
                code = await work(target, voice()) or 0
                _told(target, await target.finish(subject, dry_run=self.dry_run))
                return code
        finally:
            if cluster is not None:
                await cluster.close()

    async def _hub_if_any(self) -> HttpCluster | None:
        """The hub to look things up on; without one, what a change refers to must be declared in Git."""
        from gitops_ocm.kube.cluster import Unreachable
        from gitops_ocm.kube.identity import KubeconfigError

        try:
            cluster = connect(self.kubeconfig, self.context)
        except KubeconfigError:
            if self.kubeconfig is not None or self.context is not None:
                raise
            return None
        try:
            await cluster.version()
        except Unreachable as error:
            click.echo(f"going by the repository alone: {error.message}", err=True)
            await cluster.close()
            return None
        except BaseException:
            await cluster.close()
            raise
        return cluster


def voice() -> Voice:
    """Results to standard output, the rest to standard error."""
    from gitops_ocm.verbs.voice import Voice

    return Voice(click.echo, lambda text: click.echo(text, err=True))


def _told(target: RepositoryTarget, made: Made | None) -> None:
    if made is None:
        click.echo("nothing to commit: the repository says so already", err=True)
        return
    if not made.commit:
        click.echo(made.diff, nl=False)
        return
    click.echo(f"commit {made.commit[:12]} on branch {made.branch}: {', '.join(made.paths)}")
    where = target.clone.root
    if made.checked_out:
        click.echo(f"next: git -C {where} push    (the sync then brings it to the hub)")
    else:
        click.echo(f"next: git -C {where} push -u origin {made.branch}    and have it reviewed and merged")
