"""Options about the repository a sync follows, and how it is opened."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm.cli.options import together
from gitops_ocm.errors import GitopsError

if TYPE_CHECKING:
    from gitops_ocm.git.command import Credentials
    from gitops_ocm.objects.ref import Object
    from gitops_ocm.sync.service import ServiceSettings


PASSWORD_VARIABLE = "GITOPS_OCM_GIT_PASSWORD"  # noqa: S105 -- the name of a variable, not its value
SYNC_NAME = "fleet"


repository_options = together(
    click.option("--name", default=SYNC_NAME, show_default=True, help="The HubSync on the hub."),
    click.option(
        "--repo",
        metavar="URL",
        help="The repository (https, ssh or a path) a new HubSync is to follow.",
    ),
    click.option("--branch", metavar="NAME", help="The branch a new HubSync is to follow."),
    click.option("--path", metavar="FOLDER", help="The folder in the repository that counts."),
)
"""Which HubSync, and the repository to make it with where there is none."""


_EXISTING = click.Path(path_type=Path, exists=True, dir_okay=False)
credential_options = together(
    click.option(
        "--git-user",
        default="",
        metavar="NAME",
        help=f"User for https; the password or token is ${PASSWORD_VARIABLE}.",
    ),
    click.option("--git-ssh-key", type=_EXISTING, help="Private key for ssh."),
    click.option("--git-known-hosts", type=_EXISTING, help="Known hosts for ssh."),
    click.option("--git-ca", type=_EXISTING, help="Certificate authority for https."),
)
"""How a remote repository is opened; passwords come from the environment, never from a flag."""


def credentials_of(options: dict[str, Any]) -> Credentials:
    """The credentials that `credential_options` came to; takes them out of `options`."""
    from gitops_ocm.git.command import Credentials

    return Credentials(
        username=options.pop("git_user"),
        password=os.environ.get(PASSWORD_VARIABLE, ""),
        ssh_key=options.pop("git_ssh_key"),
        known_hosts=options.pop("git_known_hosts"),
        ca_file=options.pop("git_ca"),
    )


def repository_url(url: str) -> str:
    """What a HubSync is to say: a path made absolute, so that it means the same wherever the sync runs.

    Refused is what Git would refuse, and a password: whoever may read a HubSync would read it.
    """
    from gitops_ocm.git.address import Transport, parse
    from gitops_ocm.git.errors import InvalidAddress

    if Path(url).is_dir():
        return str(Path(url).resolve())
    address = parse(url)
    if address.password:
        raise InvalidAddress(
            f"the URL of {address} has a password in it, and a HubSync keeps no secrets",
            hint=f"leave it out: give --git-user and the environment variable {PASSWORD_VARIABLE}",
        )
    return address.url if address.transport is Transport.FILE else url


def hubsync(name: str, repo: str | None, branch: str | None, path: str | None) -> Object | None:
    """The HubSync to make, if a repository was named."""
    from gitops_ocm.git import refs
    from gitops_ocm.objects.names import name_problems

    if repo is None:
        return None
    if problems := name_problems(name):
        raise GitopsError(f"{name!r} cannot be the name of a HubSync: {problems[0]}", hint="choose another")
    repository: dict[str, Any] = {"url": repository_url(repo)}
    if branch:
        refs.branch(branch)
        repository["ref"] = {"branch": branch}
    if path:
        repository["path"] = path
    return {"metadata": {"name": name}, "spec": {"repository": repository}}


def service_settings(
    credentials: Credentials, *, status_interval: float = 10.0, hook_socket: Path | None = None
) -> ServiceSettings:
    """Settings of a sync on this machine."""
    from gitops_ocm.cli.options import cache_dir
    from gitops_ocm.sync.loop import SyncSettings
    from gitops_ocm.sync.service import ServiceSettings

    return ServiceSettings(
        SyncSettings(cache_dir(), credentials), status_interval=status_interval, hook_socket=hook_socket
    )
