"""`gitops-ocm repo`: start a fleet's repository, and have its hooks refuse broken commits."""

from __future__ import annotations

from pathlib import Path

import click


@click.group()
def repo() -> None:
    """Start a fleet's repository, and guard it."""


@repo.command(short_help="Have git refuse broken commits.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True), default=Path())
def hooks(folder: Path) -> None:
    """Install the hooks that refuse what the sync would not apply.

    In a clone they judge what is committed (pre-commit) and merged (pre-merge-commit), in a bare repository
    what is pushed (pre-receive).
    """
    from gitops_ocm.cli.console import out
    from gitops_ocm.verbs.hooks import install_hooks

    for hook in install_hooks(folder):
        out().print(f"installed {hook}", markup=False)


@repo.command(short_help="Write the template of a repository.")
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@click.option(
    "--cluster",
    "clusters",
    multiple=True,
    default=("cluster1",),
    show_default=True,
    metavar="NAME",
    help="A managed cluster to begin with; repeat it for more.",
)
def init(folder: Path, clusters: tuple[str, ...]) -> None:
    """Write the repository template into FOLDER, a new folder or an empty clone."""
    from gitops_ocm.cli.console import out
    from gitops_ocm.git.command import Git
    from gitops_ocm.hub.template import write_template

    folder.mkdir(parents=True, exist_ok=True)
    paths = write_template(folder, clusters)
    if not (folder / ".git").exists():
        Git(None).run("init", "--quiet", "--initial-branch=main", cwd=folder)
    for path in paths:
        out().print(f"  wrote {path}")
    out().print(f"\n{folder} is a fleet's repository now. What is next:")
    out().print(f"  cd {folder} && git add . && git commit -m 'Start the fleet'")
    out().print(f"  gitops-ocm sync --repo {folder.resolve()} --kubeconfig HUB_KUBECONFIG")


@repo.command(short_help="Print the schema of gitops-ocm.yaml.")
def schema() -> None:
    """Print the JSON Schema of gitops-ocm.yaml, by which an editor completes and checks it.

    Put it beside the file, and `# yaml-language-server: $schema=FILE` on its first line.
    """
    import json

    from gitops_ocm.desired.layout import schema as schema_of_layout

    click.echo(json.dumps(schema_of_layout(), indent=2))
