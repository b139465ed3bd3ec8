"""Ways to judge an add-on's health, for authors; what they do is `decide.addons.probes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from gitops_ocm.decide.addons.agent import Probe
from gitops_ocm.decide.addons.probes import (
    AppliedProbe,
    FieldsProbe,
    LeaseProbe,
    OwnProbe,
    Result,
    WorkloadsProbe,
)


def workloads() -> Probe:
    """Available while its Deployments and DaemonSets are up."""
    return WorkloadsProbe()


def lease() -> Probe:
    """Available while its agent renews the Lease of the add-on's name in its namespace."""
    return LeaseProbe()


def applied() -> Probe:
    """Available once its manifests are applied."""
    return AppliedProbe()


def reported_by_itself() -> Probe:
    """The add-on writes its condition Available itself."""
    return OwnProbe()


def checked(
    objects: Iterable[Mapping[str, str]],
    check: Callable[[Sequence[Result]], str],
    paths: Mapping[str, str] | None = None,
) -> Probe:
    """Available while `check`, given what the works report of these objects, finds nothing wrong.

    An object is named by `group`, `resource`, `namespace` and `name`, in which `*` stands for any text. With
    `paths` the values reported are those at JSONPaths, by name; else the well-known ones of its kind.
    """
    named = tuple(dict(each) for each in objects)
    if paths is None:
        return FieldsProbe(named, check)
    told = [{"name": name, "path": path} for name, path in sorted(paths.items())]
    return FieldsProbe(named, check, ({"type": "JSONPaths", "jsonPaths": told},))
