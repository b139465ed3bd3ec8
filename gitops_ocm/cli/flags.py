"""Command lines as clusteradm's users write them: switches as Go reads them, and what may precede a verb.

`--overwrite`, `--overwrite=true` and `--overwrite=false` are one switch; what follows after a space is not
its value. Options that every verb has may stand before it: `gitops-ocm --context hub get clusters`. Which
options there are is said beside the commands (`options`, `install_options`, `change_options`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_ON = "true"
_BEFORE = ("--kubeconfig", "--context", "--timeout", "-v", "--v")
_SWITCHES_BEFORE = ("--dry-run",)


def switch(*names: str, help: str, default: bool = False, **attributes: Any) -> Callable[[F], F]:
    """An option that is on or off, as scripts write it: `--wait`, `--wait=true`, `--wait=false`."""
    return click.option(
        *names,
        type=bool,
        is_flag=False,
        flag_value=_ON,
        default=default,
        show_default=default,
        metavar="[=true|false]",
        help=help,
        **attributes,
    )


def verbosity_option(command: F) -> F:
    """`-v LEVEL`, which scripts give clusteradm: taken, and nothing is told differently."""
    return click.option("-v", "--v", hidden=True, expose_value=False, metavar="LEVEL")(command)


def limit_option(command: F) -> F:
    """`--timeout` of a verb that waits for nothing but answers; it is handed to the command as `limit`."""
    return click.option(
        "--timeout",
        "limit",
        type=click.FloatRange(min=0, min_open=True),
        default=300,
        show_default=True,
        metavar="SECONDS",
        help="How long it may take altogether.",
    )(command)


class GoCommand(click.Command):
    """A command whose switches take a value only after an equals sign, so that names may follow them."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Give bare switches their value, up to a `--`."""
        end = args.index("--") if "--" in args else len(args)
        bare = {
            name: f"={param.flag_value}" if name.startswith("--") else str(param.flag_value)
            for param in self.params
            if isinstance(param, click.Option) and isinstance(param.flag_value, str)
            for name in param.opts
        }
        head = [word for arg in args[:end] for word in _spelled_out(arg, bare)]
        return super().parse_args(ctx, head + args[end:])


def _spelled_out(arg: str, bare: dict[str, str]) -> list[str]:
    """An argument with the value that a switch in it has; `-Rf` is `-R` and `-f`."""
    if arg in bare:
        return [arg + bare[arg]]
    short, rest = arg[:2], arg[2:]
    if arg.startswith("--") or short not in bare:
        return [arg]
    if rest.startswith("="):
        return [short + rest[1:]]
    return [short + bare[short], *_spelled_out(f"-{rest}", bare)]


def verb_last(args: Sequence[str]) -> list[str]:
    """The arguments with what every verb takes moved behind it, as far as only such options precede it.

    Only the first words are looked at, up to an option that is a command's own.
    """
    words: list[str] = []
    moved: list[str] = []
    rest = list(args)
    while rest:
        name, equals, _ = rest[0].partition("=")
        if name in _SWITCHES_BEFORE or (name in _BEFORE and equals):
            moved.append(rest.pop(0))
        elif name in _BEFORE and len(rest) > 1:
            moved += rest[:2]
            del rest[:2]
        elif name.startswith("-"):
            break
        else:
            words.append(rest.pop(0))
    return [*words, *moved, *rest] if words else list(args)
