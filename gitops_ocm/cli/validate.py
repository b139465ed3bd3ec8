"""`gitops-ocm validate`: would the sync take this commit? For people, for hooks and for pipelines."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gitops_ocm import __version__
from gitops_ocm.cli.preview_output import Output, OutputType, write
from gitops_ocm.errors import GitopsError

if TYPE_CHECKING:
    from gitops_ocm.errors import Diagnostic
    from gitops_ocm.verbs.validating import Judged

FORMATS = ("text", "json", "junit", "sarif")
API_VERSION = "validation.gitops-ocm.io/v1alpha1"


@click.command()
@click.argument("what", default="", metavar="[REVISION|FOLDER]")
@click.option("--staged", is_flag=True, help="What `git commit` would commit: for a pre-commit hook.")
@click.option(
    "--stdin-refs",
    is_flag=True,
    help="What a push brings, as git tells a pre-receive hook on standard input.",
)
@click.option(
    "--branch",
    "branches",
    multiple=True,
    metavar="PATTERN",
    help="With --stdin-refs: branches that count.  [default: the repository's default branch]",
)
@click.option(
    "--repo",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    default=Path(),
    help="A clone of the fleet's repository.  [default: the current folder]",
)
@click.option("--path", default=".", metavar="DIR", help="The fleet's folder in the repository.")
@click.option(
    "-o",
    "--output",
    "outputs",
    type=OutputType(FORMATS),
    multiple=True,
    metavar="FORMAT[=FILE]",
    help=f"One of {', '.join(FORMATS)}; may be repeated.  [default: text]",
)
def validate(
    what: str,
    staged: bool,
    stdin_refs: bool,
    branches: tuple[str, ...],
    repo: Path,
    path: str,
    outputs: tuple[Output, ...],
) -> int:
    """Say whether the sync would take a commit: every problem, with file and line.

    A revision is judged as it is committed, a folder as it is on disk; without either, the clone's files as
    they are. Exits with 0 when all is well (warnings are), 1 when the sync would refuse it, 2 on trouble.
    """
    if staged + stdin_refs + bool(what) > 1:
        raise click.UsageError("only one of --staged, --stdin-refs and REVISION|FOLDER is judged")
    if branches and not stdin_refs:
        raise click.UsageError("--branch is for --stdin-refs")
    judged = _received(repo, branches, path) if stdin_refs else [_one(what, staged, repo, path)]
    for word, file in outputs or (("text", None),):
        if word == "text" and file is None:
            _print_text(judged, quiet=staged or stdin_refs)
        elif file is None:
            click.echo(_rendered(judged, word), nl=False)
        else:
            write(file, _rendered(judged, word))
    return 0 if all(one.ok for one in judged) else 1


def _one(what: str, staged: bool, repo: Path, path: str) -> Judged:
    from gitops_ocm.cli.options import preview_cache
    from gitops_ocm.runtime.memory import uncollected

    with uncollected(lasting=True):
        from gitops_ocm.verbs.validating import in_clone, on_disk

        if what and Path(what).is_dir():
            return on_disk(Path(what), path=path)
        index = os.environ.get("GIT_INDEX_FILE", "") if staged else ""
        return in_clone(
            repo,
            what,
            staged=staged,
            index=Path(index).absolute() if index else None,
            path=path,
            cache=preview_cache(),
        )


def _received(repo: Path, branches: Sequence[str], path: str) -> list[Judged]:
    from gitops_ocm.git.hook import parse_updates
    from gitops_ocm.git.source import QUARANTINE
    from gitops_ocm.verbs.validating import received

    text = sys.stdin.read()
    updates = parse_updates(text)
    if len(updates) != len(text.splitlines()):
        raise GitopsError(
            "standard input is not what git tells a pre-receive hook",
            hint="lines of `OLD NEW REF`, with whole commit ids",
        )
    told = {name: _absolute(name) for name in QUARANTINE if name in os.environ}
    return list(received(updates, repo, branches=branches, environment=told, path=path))


def _absolute(name: str) -> str:
    """Git is started elsewhere: paths that it told a hook relative to here would lead nowhere."""
    return os.pathsep.join(str(Path(part).absolute()) for part in os.environ[name].split(os.pathsep))


def _print_text(judged: Sequence[Judged], *, quiet: bool) -> None:
    """Problems to standard error; in a hook, nothing at all where there are none."""
    from gitops_ocm.cli.console import err, out, print_diagnostics

    for one in judged:
        print_diagnostics(one.diagnostics)
        if not one.ok:
            problems = f"{one.errors} problem{'s' if one.errors > 1 else ''}"
            err().print(f"refused: {one.what}: {problems}; the sync would not apply it", markup=False)
        elif not quiet:
            out().print(f"valid: {one.what}", markup=False)


def _rendered(judged: Sequence[Judged], word: str) -> str:
    """All problems in one document; in text, a line for each."""
    from gitops_ocm.preview.formats.findings import of_diagnostics
    from gitops_ocm.preview.formats.junit import junit
    from gitops_ocm.preview.formats.sarif import sarif

    found = of_diagnostics(problem for one in judged for problem in one.diagnostics)
    match word:
        case "junit":
            return junit(found, name="gitops-ocm validate")
        case "sarif":
            return sarif(found, version=__version__, run="validate")
        case "json":
            return _json(judged)
    return "".join(f"{problem}\n" for one in judged for problem in one.diagnostics)


def _json(judged: Sequence[Judged]) -> str:
    import orjson

    document = {
        "apiVersion": API_VERSION,
        "kind": "Validation",
        "valid": all(one.ok for one in judged),
        "judged": [
            {"what": one.what, "valid": one.ok, "problems": list(map(_problem, one.diagnostics))}
            for one in judged
        ],
    }
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode()


def _problem(found: Diagnostic) -> dict[str, Any]:
    where = found.where
    whole = {
        "severity": found.severity.value,
        "code": found.code,
        "message": found.message,
        "subject": found.subject,
        "hint": found.hint,
        "path": where.path,
        "line": where.line,
        "column": where.column,
        "commit": where.commit,
    }
    return {name: value for name, value in whole.items() if value}
