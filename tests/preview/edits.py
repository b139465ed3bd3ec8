"""Edits of a repository's files, by which tests say what a change does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gitops_ocm.objects.ref import Object
from gitops_ocm.testing import objects as make
from tests.preview.merged import Edit, Files, named

SLOW = {"type": "Progressive", "progressive": {"maxConcurrency": 1}}


def put(kind: str, name: str, *path: str, value: Any) -> Edit:
    """A field of an object has another value."""

    def edit(files: Files) -> None:
        at = named(files, kind, name)
        for step in path[:-1]:
            at = at.setdefault(step, {})
        at[path[-1]] = value

    return edit


def drop(kind: str, *names: str) -> Edit:
    """Objects of a kind are gone: these, or all of them."""

    def edit(files: Files) -> None:
        for path in list(files):
            files[path] = [
                o for o in files[path] if o["kind"] != kind or (names and o["metadata"]["name"] not in names)
            ]
            if not files[path]:
                del files[path]

    return edit


def move(path: str, to: str) -> Edit:
    """A file is called otherwise."""

    def edit(files: Files) -> None:
        files[to] = files.pop(path)

    return edit


def add(path: str, *objects: Object) -> Edit:
    """A file holds these objects."""
    return lambda files: files.update({path: list(objects)})


def both(*edits: Edit) -> Edit:
    """All of these edits."""

    def edit(files: Files) -> None:
        for one in edits:
            one(files)

    return edit


def web(*placements: str, strategy: Mapping[str, Any] | None = None) -> Object:
    """A replica set on these placements."""
    found = make.replica_set("web", "fleet", list(placements), [make.config_map("web")])
    if strategy is not None:
        for ref in found["spec"]["placementRefs"]:
            ref["rolloutStrategy"] = strategy
    return found


def web_edited(files: Files) -> None:
    """Its work says something else."""
    template = named(files, "ManifestWorkReplicaSet", "web")["spec"]["manifestWorkTemplate"]
    template["workload"]["manifests"][0]["data"] = {"key": "other"}


def label(name: str, key: str, value: str) -> Edit:
    """A cluster has a label."""
    return put("ManagedCluster", name, "metadata", "labels", key, value=value)


def selecting(path: str, label: str) -> Edit:
    """The Deployment of a work selects other pods."""

    def edit(files: Files) -> None:
        spec = files[path][0]["spec"]["workload"]["manifests"][0]["spec"]
        spec["selector"]["matchLabels"]["app"] = label
        spec["template"]["metadata"]["labels"]["app"] = label

    return edit


def nothing(files: Files) -> None:
    """Change nothing."""
