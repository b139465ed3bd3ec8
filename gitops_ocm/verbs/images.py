"""Which image runs: what `--bundle-version` and `--image-registry` come to.

One image of ours is all of OCM's programs, so a bundle's version is that of the image. Bundles that
clusteradm knows are taken for ours, whose APIs are those of 1.3.1: scripts that name one go on working.
"""

from __future__ import annotations

import json
from pathlib import Path

from gitops_ocm import __version__
from gitops_ocm.operator.install import default_image
from gitops_ocm.verbs.spec_options import read_file
from gitops_ocm.verbs.voice import VerbError

UPSTREAM = ("1.1.0", "1.1.1", "1.1.3", "1.2.0", "1.2.1", "1.3.0", "1.3.1")
_UPSTREAM_REGISTRY = "quay.io/open-cluster-management"


def image_of(registry: str, version: str, overrides: Path | None = None) -> str:
    """The image of a bundle; upstream's registry, which has no image of ours, counts as none."""
    tag = _overridden(overrides) if overrides is not None else _tag(version)
    return default_image("" if registry.rstrip("/") == _UPSTREAM_REGISTRY else registry, tag)


def _tag(version: str) -> str:
    wanted = version.removeprefix("v")
    if wanted == "latest":
        return wanted
    if wanted in ("default", __version__, *UPSTREAM):
        return __version__
    raise VerbError(
        f"couldn't find the requested version bundle: {version}",
        hint=f"there is default ({__version__}), latest, {', '.join(UPSTREAM)}",
    )


def _overridden(path: Path) -> str:
    try:
        tag = json.loads(read_file(path, "version bundle"))["ocm"]
    except (ValueError, KeyError, TypeError) as error:
        raise VerbError(
            f"{path} does not say which version to use", hint='write {"ocm": "<version>"} into it'
        ) from error
    if not isinstance(tag, str) or not tag:
        raise VerbError(f"{path}: the version of ocm is no text", hint='write {"ocm": "<version>"} into it')
    return tag
