"""The repository a fleet starts from: `repo-template/`, written for given clusters.

In a checkout the template is the folder of that name; an installed wheel carries it inside the
package. The files are plain YAML a person can read as they are: the only thing that is filled in
is the name of the cluster.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from gitops_ocm.errors import GitopsError

EXAMPLE = "cluster1"
"""The cluster's name in the template."""

_CLUSTER_NAME = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")


def template_root() -> Path:
    """Where the template lies."""
    package = Path(__file__).resolve().parent.parent
    for place in (package / "_repo_template", package.parent / "repo-template"):
        if place.is_dir():
            return place
    raise GitopsError(
        "the repository template is not part of this installation",
        hint="install gitops-ocm from its wheel or run it from a checkout",
    )


def template_files(clusters: Sequence[str]) -> dict[PurePosixPath, str]:
    """Every file of a new repository: path → text; one `clusters/<name>/` for each of `clusters`."""
    for name in clusters:
        if not _CLUSTER_NAME.fullmatch(name):
            raise GitopsError(
                f"{name!r} is no name for a managed cluster",
                hint="use at most 63 of a-z, 0-9 and '-', with a letter or digit at both ends",
            )
    root = template_root()
    files: dict[PurePosixPath, str] = {}
    for source in sorted(p for p in root.rglob("*") if p.is_file()):
        path = PurePosixPath(source.relative_to(root).as_posix())
        text = source.read_text(encoding="utf-8")
        if path.parts[:2] == ("clusters", EXAMPLE):
            for name in clusters:
                files[PurePosixPath("clusters", name, *path.parts[2:])] = text.replace(EXAMPLE, name)
        else:
            files[path] = text.replace(EXAMPLE, clusters[0]) if clusters else text
    return files


def write_template(folder: Path, clusters: Sequence[str]) -> list[PurePosixPath]:
    """Write the template into `folder`, which must be empty but for `.git`; the paths written."""
    taken = sorted(p.name for p in folder.iterdir() if p.name != ".git") if folder.is_dir() else []
    if taken:
        more = " and more" if len(taken) > 3 else ""
        raise GitopsError(
            f"{folder} is not empty: {', '.join(taken[:3])}{more}",
            hint="name a new folder, or an empty clone",
        )
    files = template_files(clusters)
    for path, text in files.items():
        target = folder.joinpath(*path.parts)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
        if text.startswith("#!"):  # An installed wheel does not keep who may run a file.
            target.chmod(0o755)
    return sorted(files)
