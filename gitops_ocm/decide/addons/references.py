"""References to configurations: which of them apply, and how a status names them.

A configuration is an object of any kind, known by group, resource, namespace and name. Of each kind the most
special source that mentions it counts alone: what a ManagedClusterAddOn names, else the placement's, else the
defaults. Where the objects are and what they hash to is `config_objects`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from gitops_ocm.api.addon_words import RESERVED_NO_DEFAULT
from gitops_ocm.objects.ref import Object


class Config(NamedTuple):
    """A configuration object by name."""

    group: str
    resource: str
    namespace: str
    name: str

    @property
    def kind(self) -> tuple[str, str]:
        """Group and resource: what one source takes from another as a whole."""
        return self.group, self.resource

    def __str__(self) -> str:
        where = f"{self.namespace}/{self.name}" if self.namespace else self.name
        return f"{'.'.join(filter(None, (self.resource, self.group)))} {where}"


Wanted = Mapping[Config, str]
"""The configurations to have, with the hash each is to have: sorted by kind, in order within a kind."""


def config_of(entry: Mapping[str, Any]) -> Config:
    """The configuration that an entry of a spec names."""
    return Config(
        entry.get("group") or "", entry["resource"], entry.get("namespace") or "", entry.get("name") or ""
    )


def desired_in(reference: Mapping[str, Any]) -> Config | None:
    """The configuration that an entry of a status names; None where it names none."""
    desired = reference.get("desiredConfig")
    return config_of({**desired, **_kind_in(reference)}) if desired else None


def hashes_in(references: Iterable[Mapping[str, Any]]) -> dict[Config, str]:
    """What a status says the configurations it names hash to."""
    found = ((desired_in(each), each) for each in references)
    return {
        config: each["desiredConfig"].get("specHash") or "" for config, each in found if config is not None
    }


def _kind_in(reference: Mapping[str, Any]) -> Object:
    return {"group": reference.get("group") or "", "resource": reference["resource"]}


def named(config: Config, spec_hash: str) -> Object:
    """A `desiredConfig` as a status has it."""
    where = {"namespace": config.namespace} if config.namespace else {}
    return {"name": config.name, **where, "specHash": spec_hash}


def reference(config: Config, spec_hash: str) -> Object:
    """An entry of a status that names a configuration."""
    return {"group": config.group, "resource": config.resource, "desiredConfig": named(config, spec_hash)}


def defaults_of(cma: Object) -> tuple[Config, ...]:
    """The defaults of an add-on (at v1beta1), in its order; kinds without a default are left out."""
    found = map(config_of, (cma.get("spec") or {}).get("defaultConfigs") or ())
    return tuple(config for config in found if config.name not in ("", RESERVED_NO_DEFAULT))


def configs_in(owner: Mapping[str, Any]) -> tuple[Config, ...]:
    """The configurations that a placement's entry, or the spec of a ManagedClusterAddOn, names."""
    return tuple(map(config_of, owner.get("configs") or ()))


def overriding(base: Iterable[Config], special: Sequence[Config]) -> tuple[Config, ...]:
    """The more special ones in place of all others of their kinds, each once, sorted by kind."""
    replaced = {config.kind for config in special}
    kept = [config for config in base if config.kind not in replaced]
    return tuple(sorted(dict.fromkeys([*kept, *special]), key=lambda config: config.kind))


def merged(held: Iterable[Mapping[str, Any]], wanted: Wanted) -> list[Object]:
    """The `configReferences` of a ManagedClusterAddOn: those it has keep their place and their history."""
    kept: dict[Config, Object] = {}
    for each in held:
        config = desired_in(each)
        if config is not None and config in wanted and config not in kept:
            told = {name: value for name, value in each.items() if value is not None}
            kept[config] = {**told, "desiredConfig": named(config, wanted[config])}
    fresh = {
        config: {**reference(config, spec_hash), "lastObservedGeneration": 0}
        for config, spec_hash in wanted.items()
        if config not in kept
    }
    together = sorted({**kept, **fresh}.items(), key=lambda pair: pair[0].kind)
    return [entry for _, entry in together]
