"""`gitops-ocm`: the group of all commands.

Commands are named here with their one-line help and imported only when they run, so that `--help`
and shell completion answer at once. One command is one module beside this one.
"""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Mapping
from io import TextIOWrapper
from typing import Any

import click

from gitops_ocm import __version__
from gitops_ocm.cli.flags import verb_last
from gitops_ocm.cli.leaving import leave, leave_unread
from gitops_ocm.errors import GitopsError

DEBUG = "GITOPS_OCM_DEBUG"
"""Environment variable: show the Python traceback of a bug."""


class LazyGroup(click.Group):
    """A group whose commands live in modules that are imported on use.

    `lazy` maps a command's name to (`module:attribute`, one-line help), `aliases` other names to these.
    """

    def __init__(
        self,
        *args: Any,
        lazy: Mapping[str, tuple[str, str]],
        aliases: Mapping[str, str] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.lazy = lazy
        self.aliases = aliases or {}

    def list_commands(self, ctx: click.Context) -> list[str]:
        """All commands, in the order they are declared."""
        return [*self.lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command itself, imported now."""
        entry = self.lazy.get(self.aliases.get(cmd_name, cmd_name))
        if entry is None:
            return super().get_command(ctx, cmd_name)
        module, _, attribute = entry[0].partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands, without importing any of them."""
        rows = [(name, help_text) for name, (_, help_text) in self.lazy.items()]
        if rows:
            with formatter.section("Commands"):
                formatter.write_dl(rows)


COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("gitops_ocm.cli.demo:demo", "A hub, three clusters and a repository on this machine."),
    "repo": ("gitops_ocm.cli.repo:repo", "Start a fleet's repository."),
    "sync": ("gitops_ocm.cli.sync:sync", "Reconcile a Git repository onto a hub."),
    "preview": ("gitops_ocm.cli.preview:preview", "Show what a merge would do to the fleet."),
    "render": ("gitops_ocm.cli.render:render", "Print what a commit would have synced."),
    "validate": ("gitops_ocm.cli.validate:validate", "Say whether the sync would take a commit."),
    "comment": ("gitops_ocm.cli.comment:comment", "Tell a pull request's reviewers what a merge would do."),
    "replay": ("gitops_ocm.cli.replay:replay", "Say whether a past commit did what it was to do."),
    "history": ("gitops_ocm.cli.history:history", "Show what commits did to the fleet, and when."),
    "diff": ("gitops_ocm.cli.diff:diff", "Compare a live hub with what Git wants."),
    "hub": ("gitops_ocm.cli.hub:hub", "Run the hub: its controllers, or a whole embedded hub."),
    "operator": ("gitops_ocm.cli.operator:operator", "Keep ClusterManagers or Klusterlets on a Kubernetes."),
    "init": ("gitops_ocm.cli.init:init", "Make a cluster the hub."),
    "join": ("gitops_ocm.cli.join:join", "Install the agents on a cluster."),
    "accept": ("gitops_ocm.cli.accept:accept", "Let clusters in."),
    "unjoin": ("gitops_ocm.cli.removal:unjoin", "Remove the agents from a managed cluster."),
    "clean": ("gitops_ocm.cli.removal:clean", "Remove the hub from a cluster."),
    "upgrade": ("gitops_ocm.cli.upgrade:upgrade", "Change the version of what runs on a hub or a cluster."),
    "get": ("gitops_ocm.cli.get:get", "Show what a hub has, and what is installed."),
    "doctor": ("gitops_ocm.cli.doctor:doctor", "Say what is wrong with a fleet, and how it is mended."),
    "explain": ("gitops_ocm.cli.explain:explain", "Say why the hub decided as it did."),
    "addon": ("gitops_ocm.cli.addon:addon", "Enable and disable add-ons on clusters, and make new ones."),
    "clusterset": ("gitops_ocm.cli.clusterset:clusterset", "Bind cluster sets, and put clusters into them."),
    "create": ("gitops_ocm.cli.create:create", "Make cluster sets, placements, works."),
    "delete": ("gitops_ocm.cli.delete:delete", "Delete cluster sets, works, tokens."),
    "install": ("gitops_ocm.cli.hub_addon:install", "Install add-ons on the hub."),
    "uninstall": ("gitops_ocm.cli.hub_addon:uninstall", "Remove add-ons from the hub."),
    "proxy": ("gitops_ocm.cli.proxy:proxy", "Look after clusters reached through cluster-proxy."),
    "version": ("gitops_ocm.cli.version:version", "Print the version."),
    "klusterlet": ("gitops_ocm.cli.klusterlet:klusterlet", "Run the agent of one managed cluster."),
    "crds": ("gitops_ocm.cli.crds:crds", "Print the CustomResourceDefinitions of every kind."),
}


@click.group(
    cls=LazyGroup,
    lazy=COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(__version__, "--version", prog_name="gitops-ocm")
def cli() -> None:
    """A Git repository as the control plane of a fleet of Kubernetes clusters."""


def main(argv: list[str] | None = None) -> None:
    """Run the command line and exit: 0 done, 1 a difference or a failed check, 2 trouble."""
    stdout = sys.stdout
    _speak_what_is_understood()
    try:
        args = verb_last(sys.argv[1:] if argv is None else argv)
        code = cli.main(args=args, prog_name="gitops-ocm", standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except KeyboardInterrupt:
        sys.exit(130)
    except BrokenPipeError:
        leave_unread()
    except SystemExit:
        if sys.stdout is not stdout:  # click's way with a broken pipe; it ends with 1, a difference
            leave_unread()
        raise
    except GitopsError as error:
        _fail(error)
    except OSError as error:
        _fail(GitopsError(_os_message(error), hint=_OS_HINTS.get(error.errno or 0, "")))
    except Exception as error:  # noqa: BLE001 -- a bug, told like anything else
        _fail(_bug(error))
    status = code if isinstance(code, int) else 0
    if argv is None:
        leave(status)
    sys.exit(status)


def _speak_what_is_understood() -> None:
    """A terminal that does not know a sign gets `?` for it, and the rest of what there is to say."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper) and stream.encoding.lower() not in ("utf-8", "utf8"):
            stream.reconfigure(errors="replace")


_OS_HINTS = {
    2: "check the path",
    13: "check the file's owner and mode",
    28: "free some space on that disk and run it again; nothing was half written",
}


def _os_message(error: OSError) -> str:
    name = f"{error.filename}: " if error.filename else ""
    return f"{name}{error.strerror or error}"


def _bug(error: Exception) -> GitopsError:
    """What nobody expected: its kind and place for the report, the whole trace on demand."""
    import traceback

    from gitops_ocm.runtime.log import place_of

    if os.environ.get(DEBUG):
        traceback.print_exception(error)
    place = place_of(error)
    what = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return GitopsError(
        f"{what} (a bug{f', at {place}' if place else ''})",
        hint=f"run it again with {DEBUG}=1 and report what it prints",
    )


def _fail(error: GitopsError) -> None:
    from gitops_ocm.cli.console import print_error

    try:
        print_error(error)
    finally:  # also where nobody reads standard error any more, which rich would end with 1
        sys.exit(2)
