"""A scenario played on two servers, and what differs between them beyond what is allowed."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from tests.differential import (
    script_admission,
    script_crds,
    script_definitions,
    script_http,
    script_kinds,
    script_merges,
    script_objects,
    script_patches,
    script_pods,
    script_quotas,
    script_reading,
    script_rights,
    script_validation,
)
from tests.differential.allowed import ALLOWED, Allowed
from tests.differential.calls import NAMESPACES, Call, delete, obj, post, wait
from tests.differential.compare import Difference, Masks, differences
from tests.differential.play import Server

SCRIPT: dict[str, list[Call]] = {
    name: calls
    for script in (
        script_admission,
        script_objects,
        script_patches,
        script_pods,
        script_quotas,
        script_reading,
        script_rights,
        script_http,
        script_crds,
        script_definitions,
        script_kinds,
        script_merges,
        script_validation,
    )
    for name, calls in script.SCRIPT.items()
}


@dataclass(frozen=True)
class Verdict:
    """One call: what differs though it may not, and the allowances it has no need of."""

    number: int
    call: Call
    differences: tuple[Difference, ...]
    idle: tuple[Allowed, ...]


async def judged(real: Server, ours: Server, scenario: str, namespace: str) -> list[Verdict]:
    """Play the scenario on both in a new namespace, which is deleted afterwards."""
    values = {"ns": namespace}
    begin = _furnished(namespace)
    script = [*begin, *SCRIPT[scenario]]
    theirs, answers = await asyncio.gather(*(server.play(script, values) for server in (real, ours)))
    masks = Masks(values), Masks(values)
    verdicts = []
    rows = zip(SCRIPT[scenario], theirs[len(begin) :], answers[len(begin) :], strict=True)
    for number, (call, one, other) in enumerate(rows):
        found = [*differences(masks[0].masked(one), masks[1].masked(other))]
        allowed = [a for a in ALLOWED if a.concerns(scenario, number)]
        left = tuple(d for d in found if not any(a.covers(d) for a in allowed))
        idle = tuple(a for a in allowed if a.calls and not any(a.covers(d) for d in found))
        verdicts.append(Verdict(number, call, left, idle))
    for server in (real, ours):
        await server.play([delete(f"{NAMESPACES}/{namespace}")], {})
    return verdicts


def _furnished(namespace: str) -> list[Call]:
    """A namespace with all that controllers put into it: what a scenario begins with."""
    within = f"{NAMESPACES}/{namespace}"
    return [
        post(NAMESPACES, obj("Namespace", namespace)),
        wait(f"{within}/configmaps/kube-root-ca.crt"),
        wait(f"{within}/serviceaccounts/default"),
    ]
