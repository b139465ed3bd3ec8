"""Values files of OCM's Helm charts, as `--cluster-manager-values-file` and `--klusterlet-values-file` take
them: what they override, merged as Helm merges (mappings by key, lists as a whole, null removes).

Our objects are not made by these charts, so only what says something about them counts; the rest is told.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml

from gitops_ocm.errors import Location
from gitops_ocm.objects.ref import Object
from gitops_ocm.operator.install import OperatorOptions, default_image
from gitops_ocm.verbs.spec_options import read_file
from gitops_ocm.verbs.voice import VerbError

_IMAGES = ("registry", "tag", "overrides", "imagePullPolicy", "imageCredentials")


@dataclass(frozen=True)
class ChartValues:
    """What a file says, and for which of its keys there is nothing here."""

    body: Mapping[str, Any]
    unused: tuple[str, ...] = ()

    def spec(self, section: str) -> Mapping[str, Any]:
        """What overrides the spec: the values of `clusterManager` or `klusterlet`."""
        found = self.body.get(section) or {}
        return {key: value for key, value in found.items() if key not in ("create", "mode", "name")}

    def operator(self, options: OperatorOptions) -> OperatorOptions:
        """The operator's options with the file's images and credentials."""
        images: Mapping[str, Any] = self.body.get("images") or {}
        if "registry" in images or "tag" in images:
            registry, tag = images.get("registry") or "", images.get("tag") or ""
            plain = default_image(registry, tag) if tag else default_image(registry)
            options = replace(options, image=plain)
        if image := (images.get("overrides") or {}).get("operatorImage"):
            options = replace(options, image=str(image))
        if policy := images.get("imagePullPolicy"):
            options = replace(options, pull_policy=str(policy))
        if credentials := (images.get("imageCredentials") or {}).get("dockerConfigJson"):
            options = replace(options, pull_credentials=str(credentials).encode())
        return options

    def images(self) -> Mapping[str, str]:
        """Images that replace single ones of a spec, by the field of the spec."""
        overrides = (self.body.get("images") or {}).get("overrides") or {}
        return {
            field: str(overrides[key])
            for key, field in (
                ("registrationImage", "registrationImagePullSpec"),
                ("workImage", "workImagePullSpec"),
                ("placementImage", "placementImagePullSpec"),
                ("addOnManagerImage", "addOnManagerImagePullSpec"),
            )
            if overrides.get(key)
        }


EMPTY = ChartValues({})


def read_values(path: Path | None, section: str, also: Iterable[str] = ()) -> ChartValues:
    """The values of a file; `section` and `also` are the keys that count beside the images."""
    if path is None:
        return EMPTY
    try:
        body = yaml.safe_load(read_file(path, "values file"))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        # The parser's own words quote the file, which may hold credentials.
        where = Location(str(path), mark.line + 1 if mark else 0)
        raise VerbError("the values file is not YAML", hint="correct it", where=where) from error
    if body is None:
        return EMPTY
    if not isinstance(body, dict):
        raise VerbError(f"{path} holds no values", hint=f"begin it with a key, such as {section}:")
    for key in (section, "images"):
        if not isinstance(body.get(key, {}), dict | None):
            raise VerbError(f"{path}: {key} is no mapping", hint="correct the file")
    unused = [str(key) for key in body if key not in {section, "images", *also}]
    unused += [f"images.{key}" for key in body.get("images") or {} if key not in _IMAGES]
    return ChartValues(body, tuple(sorted(unused)))


def merged(base: Object, over: Mapping[str, Any]) -> Object:
    """`over` laid upon `base`, as Helm does."""
    found = dict(base)
    for key, value in over.items():
        if value is None:
            found.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(found.get(key), Mapping):
            found[key] = merged(found[key], value)
        else:
            found[key] = value
    return found
