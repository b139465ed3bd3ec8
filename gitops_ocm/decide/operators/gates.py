"""Feature gates of a spec: which differ from their default, as arguments, and which nobody knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from gitops_ocm.api.feature_gates import Gates

NETWORK_POLICIES = "NetworkPolicies"
"""The one gate that is the operator's own."""


@dataclass(frozen=True)
class Chosen:
    """The gates of one component: all of them as they hold, and the names that are none."""

    gates: Mapping[str, bool]
    defaults: Gates
    unknown: tuple[str, ...] = ()

    def on(self, name: str) -> bool:
        """Whether a gate is open."""
        return self.gates.get(name, False)

    def arguments(self) -> tuple[str, ...]:
        """What a process has to be told: only what differs from its default."""
        told = [
            f"{name}={str(on).lower()}"
            for name, on in sorted(self.gates.items())
            if self.defaults.get(name, on) != on
        ]
        return (f"--feature-gates={','.join(told)}",) if told else ()


def chosen(configuration: Mapping[str, Any] | None, defaults: Gates, *, own: Iterable[str] = ()) -> Chosen:
    """What a component's configuration (`featureGates`) makes of its gates; `own` are the operator's."""
    gates, unknown = dict(defaults), []
    for entry in (configuration or {}).get("featureGates") or ():
        name, on = str(entry.get("feature", "")), entry.get("mode") == "Enable"
        if name in defaults or name in own:
            gates[name] = on
        else:
            unknown.append(name)
    return Chosen(gates, defaults, tuple(unknown))


def together(*parts: Chosen) -> Chosen:
    """The gates of several components that run in one process."""
    gates: dict[str, bool] = {}
    defaults: dict[str, bool] = {}
    for part in parts:
        gates |= part.gates
        defaults |= part.defaults
    return Chosen(gates, defaults, tuple(name for part in parts for name in part.unknown))
