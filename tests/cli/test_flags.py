"""Command lines of clusteradm's users: its verbs, flags, shorthands and defaults, read as it reads them."""

from __future__ import annotations

import json
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gitops_ocm.cli.flags import GoCommand, switch, verb_last
from gitops_ocm.cli.main import cli

THEIRS: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("clusteradm_flags.json").read_text()
)
"""By verb each flag's shorthand and default, as clusteradm 1.3.1 prints them; under "" those of all verbs."""
LEFT_OUT = {
    # It would compare versions of two programs that have nothing to do with each other.
    "": {"match-server-version"},
    # Helm's, for the deprecated chart of another project's control plane.
    "init": {"set", "set-file", "set-json", "set-literal", "set-string", "singleton-name", "values"},
    "join": {"capi-cluster-name", "capi-import", "capi-kubeconfig"},  # of a Cluster API management cluster
    # Manifests are not installed, tunnels not gone through (see the table of deviations).
    "install hub-addon": {"bundle-version", "bundle-version-overrides", "create-namespace", "output-file"},
    "proxy health": {
        "in-cluster-proxy-cert-lookup",
        "proxy-ca-cert",
        "proxy-cert",
        "proxy-key",
        "proxy-server-host",
        "proxy-server-port",
    },
    "proxy kubectl": {"clusters", "interactive-mode", "sa"},
    # It asks nobody anything.
    "version": {"context", "dry-run", "kubeconfig", "timeout", "v"},
}
OTHERWISE = {
    ("delete work", "timeout"): "10",  # the limit that clusteradm has in its code for it
    ("init", "image-registry"): "",  # ours is a local image unless told otherwise
    ("join", "image-registry"): "",
    ("upgrade clustermanager", "image-registry"): "",
    ("upgrade klusterlet", "image-registry"): "",
}


def _command(verb: str) -> click.Command:
    found: click.Command = cli
    for word in verb.split():
        assert isinstance(found, click.Group)
        inner = found.get_command(click.Context(found), word)
        assert inner is not None, verb
        found = inner
    return found


def _default(option: click.Parameter) -> str:
    """What the command is given where the flag is not."""
    command = click.Command("x", params=[option], callback=lambda **given: next(iter(given.values()), ""))
    value = command.main([], standalone_mode=False)
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value or "")


@pytest.mark.parametrize("verb", [verb for verb in THEIRS if verb])
def test_flags_are_clusteradms(verb: str) -> None:
    """Each verb takes clusteradm's flags by their names and shorthands, with the same defaults."""
    options = {name: p for p in _command(verb).params for name in (*p.opts, *p.secondary_opts)}
    known = {**THEIRS[""], **THEIRS[verb]}
    left_out = LEFT_OUT.get(verb, set()) | LEFT_OUT[""]
    assert {flag for flag in known if f"--{flag}" not in options} == left_out & set(known)
    for flag in set(known) - left_out:
        shorthand, default = known[flag]
        option = options[f"--{flag}"]
        assert not shorthand or f"-{shorthand}" in option.opts, flag
        expected = OTHERWISE.get((verb, flag), "" if default == "[]" else default)
        if option.expose_value and not option.required:  # those that mean nothing here are not handed on
            assert _default(option) == ("" if expected == "0" else expected), flag


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("--context hub get clusters", "get clusters --context hub"),
        ("get --context hub clusters -o table", "get clusters --context hub -o table"),
        ("--kubeconfig=a --timeout 5 -v 4 init --wait", "init --kubeconfig=a --timeout 5 -v 4 --wait"),
        ("--dry-run create clusterset dev", "create clusterset dev --dry-run"),
        ("--dry-run=false create clusterset dev", "create clusterset dev --dry-run=false"),
        ("proxy kubectl --args --context", "proxy kubectl --args --context"),
        ("create work w -f x -- --context y", "create work w -f x -- --context y"),
        ("--help", "--help"),
        ("--version", "--version"),
        ("--context", "--context"),
        ("--context hub", "--context hub"),
        ("", ""),
    ],
)
def test_what_every_verb_takes_may_precede_it(given: str, read: str) -> None:
    """Options of all verbs are moved behind the verb; a verb's own, and what follows them, stay."""
    assert " ".join(verb_last(given.split())) == read


@click.command(cls=GoCommand)
@click.argument("names", nargs=-1)
@switch("-R", "--recursive", default=True, help="On.")
@switch("-r", "--replicaset", help="Off.")
@click.option("-f", "--filename", default="")
@click.option("--branch", is_flag=False, flag_value="")
def _reads(names: tuple[str, ...], **options: object) -> None:
    click.echo(json.dumps({"names": names, **options}))


@pytest.mark.parametrize(
    ("given", "names", "recursive", "replicaset", "filename", "branch"),
    [
        ("a", ["a"], True, False, "", None),
        ("-R a", ["a"], True, False, "", None),
        ("-R=false a", ["a"], False, False, "", None),
        ("--recursive=false --replicaset a", ["a"], False, True, "", None),
        ("--replicaset=true a b", ["a", "b"], True, True, "", None),
        ("--replicaset=F a", ["a"], True, False, "", None),
        ("-rRf dir a", ["a"], True, True, "dir", None),
        ("-rfdir a", ["a"], True, True, "dir", None),
        ("--branch a", ["a"], True, False, "", ""),
        ("--branch=b a", ["a"], True, False, "", "b"),
        ("-- -r --branch", ["-r", "--branch"], True, False, "", None),
    ],
)
def test_switches_are_read_as_go_does(
    given: str, names: list[str], recursive: bool, replicaset: bool, filename: str, branch: str | None
) -> None:
    """A switch's value follows an equals sign, never a space; shorthands may be written together."""
    done = CliRunner().invoke(_reads, given.split())
    assert done.exit_code == 0, done.output
    assert json.loads(done.stdout) == {
        "names": names,
        "recursive": recursive,
        "replicaset": replicaset,
        "filename": filename,
        "branch": branch,
    }


def test_a_switch_is_on_or_off() -> None:
    """Anything but a truth value is refused with the flag's name."""
    done = CliRunner().invoke(_reads, ["--replicaset=maybe"])
    assert done.exit_code == 2
    assert "--replicaset" in done.output
