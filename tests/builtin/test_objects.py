"""Every built-in kind, created on the embedded server and on a real one: the answers are the same.

The objects are `objects.yaml`: a minimal and a rich one of each kind, so that defaults, canonical forms,
what a creation brings about and who owns what are all compared, field by field.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object
from gitops_ocm.runtime.catalog import load_catalog
from tests.builtin.sides import Both, Side

pytestmark = pytest.mark.controlplane

OBJECTS: list[Object] = list(yaml.safe_load_all((Path(__file__).parent / "objects.yaml").read_text("utf-8")))
OWN = re.compile(
    r"\.metadata\.(uid|creationTimestamp|resourceVersion|managedFields\[\d+\]\.time)"
    r"|\.status\.lastPhaseTransitionTime"
    r"|\.spec\.(clusterIPs?(\[0\])?|ports\[\d+\]\.nodePort|healthCheckNodePort)"
    r"|.*controller-uid"
    r"|\.spec\.(username|extra\..*)"
)
"""What differs between any two servers: ids, times, allotted addresses and ports, who asked."""
CONTROLLED = ("CustomResourceDefinition", "APIService", "FlowSchema", "ResourceQuota")
"""Kinds whose status a controller writes at once, on the real server a moment later."""
ALLOWED = {
    ("CSINode", "UNIQUE-minimal"): (
        r"\.metadata\.managedFields.*",
        "an empty list in place of none counts as a change there",
    ),
    **dict.fromkeys(
        (
            *(("Job", "minimal"), ("Job", "work-queue")),
            *(("PersistentVolumeClaim", "minimal"), ("PersistentVolumeClaim", "rich")),
        ),
        (r"\.written", "there the first update stores what until then was filled in at each reading"),
    ),
}
"""Differences that stay, each with its reason."""


def _name(obj: Object) -> str:
    return f"{obj['apiVersion']}-{obj['kind']}-{obj['metadata']['name']}"


def _leaves(value: Any, path: str = "") -> dict[str, Any]:
    if isinstance(value, dict) and value:
        return {k: v for name, inner in value.items() for k, v in _leaves(inner, f"{path}.{name}").items()}
    if isinstance(value, list) and value:
        return {k: v for at, inner in enumerate(value) for k, v in _leaves(inner, f"{path}[{at}]").items()}
    return {path: value}


def _compared(obj: Object, allowed: str) -> dict[str, Any]:
    found = {path: value for path, value in _leaves(obj).items() if not re.fullmatch(allowed or "-", path)}
    return {path: ("given" if OWN.fullmatch(path) else value) for path, value in found.items()}


async def _lived(side: Side, obj: Object) -> list[Object]:
    """What the server answers to a creation and a reading, and to writing back what was read."""
    resource = side.kinds[obj["apiVersion"], obj["kind"]]
    place = (obj["metadata"].get("namespace", ""), obj["metadata"]["name"])
    try:
        created = await side.cluster.create(resource, obj)
    except ApiError as error:
        return [error.status()]
    if obj["kind"] in CONTROLLED:
        await side.cluster.delete(resource, *place)
        return [created]
    read = await side.cluster.get(resource, *place)
    again = await side.cluster.update(resource, read)
    written = again["metadata"]["resourceVersion"] != read["metadata"]["resourceVersion"]
    await side.cluster.delete(resource, *place)
    return [created, read, again, {"written": written}]


@pytest.mark.parametrize("obj", OBJECTS, ids=_name)
async def test_a_creation_is_answered_alike(both: Both, obj: Object) -> None:
    """Both servers answer a creation, a reading and its being written back with the same fields."""
    allowed, _ = ALLOWED.get((obj["kind"], obj["metadata"]["name"]), ("", ""))
    sent = both.filled(obj)
    real, ours = await _lived(both.real, sent), await _lived(both.ours, sent)
    for mine, theirs in zip(ours, real, strict=True):
        assert _compared(mine, allowed) == _compared(theirs, allowed)


def test_every_kind_is_there() -> None:
    """The file has an object of every built-in kind that can be kept, at every version."""
    kept = {
        (s.resource.api_version, s.resource.kind)
        for s in load_catalog(ocm=False).entries()
        if "get" in s.resource.verbs
    }
    assert {(o["apiVersion"], o["kind"]) for o in OBJECTS} == kept
