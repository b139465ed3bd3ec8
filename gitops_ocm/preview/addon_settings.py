"""What an add-on's configuration object says, value by value, and who chose that object for a cluster.

Of previews (`addon_configs`) and of `explain config` alike, so both name a value and its level the same way.
Which objects count on a cluster is decided by `decide.addons`; nothing is here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gitops_ocm.decide.addons.assignment import Member, Source
from gitops_ocm.decide.addons.references import Config, configs_in
from gitops_ocm.objects.paths import Step
from gitops_ocm.objects.ref import Object

DEFAULT, OWN = "default", "cluster"


class Setting(NamedTuple):
    """One value: `path` is how people call it (`customizedVariables[IMAGE]`), `steps` where it is."""

    path: str
    steps: tuple[Step, ...]
    value: Any


def settings_in(config: Object) -> Iterator[Setting]:
    """Every value of a configuration."""
    return _leaves(config.get("spec") or {}, "", ("spec",))


def _leaves(value: Any, path: str, steps: tuple[Step, ...]) -> Iterator[Setting]:
    """A variable is known by its name, an entry of any other list by its place."""
    if isinstance(value, Mapping) and value:
        for key in value:
            yield from _leaves(value[key], f"{path}.{key}" if path else key, (*steps, key))
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        for at, item in enumerate(value):
            if item.keys() == {"name", "value"}:
                yield Setting(f"{path}[{item['name']}]", (*steps, at, "value"), item["value"])
            else:
                yield from _leaves(item, f"{path}[{at}]", (*steps, at))
    else:
        yield Setting(path, steps, value)


def level_of(source: Source, member: Member, config: Config) -> str:
    """Who chose a configuration for a cluster; `""` where that is none of what the cluster is to have."""
    if config in configs_in(member.addon.get("spec") or {}):
        return OWN
    if config not in member.wanted:
        return ""
    return f"placement {source.name}" if config in configs_in(source.entry or {}) else DEFAULT
