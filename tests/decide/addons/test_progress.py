"""Progressing and what was last applied: the tests in their order, and what they leave alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gitops_ocm.decide.addons.progress import progressed
from gitops_ocm.decide.addons.references import Config, named
from gitops_ocm.decide.contract import Side
from gitops_ocm.decide.kinds import MANIFEST_WORK
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
ADDON = "addon.open-cluster-management.io"
NAME, SPACE = "open-cluster-management.io/addon-name", "open-cluster-management.io/addon-namespace"
HASHES = "open-cluster-management.io/config-spec-hash"
HOSTING = f"{ADDON}/hosting-cluster-name"
X = Config(ADDON, "addondeploymentconfigs", "fleet", "x")
T = Config("", "configmaps", "", "t")
KEY_X, KEY_T = f"addondeploymentconfigs.{ADDON}/fleet/x", "configmaps//t"
READY = (("Applied", "True", 1), ("Available", "True", 1))
APPLIED = {"type": "ManifestApplied", "status": "True", "reason": "AddonManifestApplied", "message": ""}
HOSTED = {**APPLIED, "type": "HostingManifestApplied"}


def reference(config: Config, spec_hash: str, **more: Any) -> Object:
    """An entry of `configReferences`."""
    kind = {"group": config.group, "resource": config.resource}
    return {**kind, "lastObservedGeneration": 1, "desiredConfig": named(config, spec_hash), **more}


def addon(*references: Object, conditions: tuple[Object, ...] = (APPLIED,), **more: Any) -> Object:
    """The add-on `hello` on `c1`."""
    status = {"configReferences": list(references), "conditions": list(conditions)}
    status |= {"supportedConfigs": more.pop("supported", [])}
    return {
        "apiVersion": f"{ADDON}/v1beta1",
        "kind": "ManagedClusterAddOn",
        "metadata": {"name": "hello", "namespace": "c1", "annotations": more.pop("annotations", {})},
        "spec": {"configs": more.pop("configs", [])},
        "status": status,
    }


def work(
    name: str = "addon-hello-deploy-0",
    hashes: Any = None,
    states: tuple[tuple[str, str, int], ...] = READY,
    namespace: str = "c1",
    marks: Mapping[str, str] | None = None,
) -> Object:
    """A work that carries the agent; `hashes` None: it names no configuration."""
    text = hashes if isinstance(hashes, str) else json.dumps(hashes)
    return {
        "apiVersion": "work.open-cluster-management.io/v1",
        "kind": MANIFEST_WORK.kind,
        "metadata": {
            "name": name,
            "namespace": namespace,
            "generation": 1,
            "labels": {NAME: "hello", **(marks or {})},
            "annotations": {} if hashes is None else {HASHES: text},
        },
        "status": {"conditions": [{"type": t, "status": s, "observedGeneration": g} for t, s, g in states]},
    }


ONE = reference(X, "h1")
OWN = {"configs": [{"group": ADDON, "resource": "others", "name": "o"}]}
UNSUPPORTED = f"Configuration with gvr {ADDON}/others is not supported for this addon"
MISMATCH, NOT_READY = "progressing... mca and work configs mismatch", "progressing... work is not ready"
WAITING = "Waiting for ManagedClusterAddOn ManifestApplied condition"
WAITING_HOSTED = "Waiting for ManagedClusterAddOn HostingManifestApplied condition"
DONE = "completed with no errors."
HERE, THERE = {HOSTING: "host"}, {SPACE: "c1"}
CASES: Mapping[str, tuple[Object, list[Object], tuple[str, str, str]]] = {
    "a kind it does not take": (
        addon(ONE, conditions=(), **OWN),
        [],
        ("False", "ConfigurationUnsupported", UNSUPPORTED),
    ),
    "a kind it takes": (
        addon(conditions=(), supported=[{"group": ADDON, "resource": "others"}], **OWN),
        [],
        ("False", "WaitingForManifestApplied", WAITING),
    ),
    "nothing said of manifests": (
        addon(ONE, conditions=()),
        [work()],
        ("False", "WaitingForManifestApplied", WAITING),
    ),
    "nothing said of the host's": (
        addon(ONE, annotations=HERE),
        [work()],
        ("False", "WaitingForHostingManifestApplied", WAITING_HOSTED),
    ),
    "no works": (addon(ONE), [], ("True", "Progressing", "progressing... no addon works")),
    "another add-on's": (
        addon(),
        [work(marks={NAME: "other"})],
        ("True", "Progressing", "progressing... no addon works"),
    ),
    "another cluster's, hosted here": (
        addon(),
        [work(marks={SPACE: "c2"})],
        ("True", "Progressing", "progressing... no addon works"),
    ),
    "a hook alone": (addon(), [work("addon-hello-pre-delete", states=())], ("False", "Completed", DONE)),
    "no configuration, here and there": (addon(), [work()], ("False", "Completed", DONE)),
    "no configuration there": (addon(ONE), [work()], ("True", "Progressing", MISMATCH)),
    "another content there": (addon(ONE), [work(hashes={KEY_X: "h0"})], ("True", "Progressing", MISMATCH)),
    "one too many there": (
        addon(ONE),
        [work(hashes={KEY_X: "h1", KEY_T: "h2"})],
        ("True", "Progressing", MISMATCH),
    ),
    "one missing there": (
        addon(ONE, reference(T, "h2")),
        [work(hashes={KEY_X: "h1"})],
        ("True", "Progressing", MISMATCH),
    ),
    "a content nobody knows": (
        addon(reference(X, "")),
        [work(hashes={KEY_X: ""})],
        ("True", "Progressing", MISMATCH),
    ),
    "no JSON": (addon(ONE), [work(hashes="{")], ("True", "Progressing", MISMATCH)),
    "no map": (addon(ONE), [work(hashes="[1]")], ("True", "Progressing", MISMATCH)),
    "two kinds, one in the core group": (
        addon(ONE, reference(T, "h2")),
        [work(hashes={KEY_X: "h1", KEY_T: "h2"})],
        ("False", "Completed", DONE),
    ),
    "one of two works is behind": (
        addon(ONE),
        [work(hashes={KEY_X: "h1"}), work("addon-hello-deploy-1", {KEY_X: "h0"})],
        ("True", "Progressing", MISMATCH),
    ),
    "not applied": (addon(), [work(states=READY[1:])], ("True", "Progressing", NOT_READY)),
    "not available": (
        addon(),
        [work(states=(READY[0], ("Available", "False", 1)))],
        ("True", "Progressing", NOT_READY),
    ),
    "available in an earlier generation": (
        addon(),
        [work(states=(READY[0], ("Available", "True", 0)))],
        ("True", "Progressing", NOT_READY),
    ),
    "hosted, and only the host's work is behind": (
        addon(ONE, conditions=(APPLIED, HOSTED), annotations=HERE),
        [work(hashes={KEY_X: "h1"}), work(hashes={KEY_X: "h0"}, namespace="host", marks=THERE)],
        ("True", "Progressing", MISMATCH),
    ),
    "hosted, and all is there": (
        addon(ONE, conditions=(APPLIED, HOSTED), annotations=HERE),
        [work(hashes={KEY_X: "h1"}, namespace="host", marks=THERE)],
        ("False", "Completed", DONE),
    ),
}


def told_of(catalog: Catalog, obj: Object, works: list[Object], **how: bool) -> Object:
    """What is told of an add-on in a world with these works."""
    world = World(catalog)
    for each in works:
        world.put(each)
    return progressed(WorldView({Side.HUB: world}, {}), obj, NOW, **how)


@pytest.mark.parametrize("case", CASES)
def test_progressing_says_the_first_that_holds(plain_catalog: Catalog, case: str) -> None:
    """Each row of OCM's table, with its words; only what is completed was applied."""
    obj, works, expected = CASES[case]
    found = told_of(plain_catalog, obj, works)
    (condition,) = [c for c in found["conditions"] if c["type"] == "Progressing"]
    assert (condition["status"], condition["reason"], condition["message"]) == expected
    assert condition["lastTransitionTime"] == "2026-01-01T12:00:00Z"
    applied = [r.get("lastAppliedConfig") for r in found.get("configReferences", ())]
    complete = expected[1] == "Completed"
    assert applied == ([r["desiredConfig"] for r in obj["status"]["configReferences"]] if complete else [])


BEFORE = (NOW - timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M:%SZ")
TIMES: Mapping[str, tuple[str, str, list[Object], dict[str, bool], bool]] = {
    "nothing new": ("False", "Completed", [work()], {}, False),
    "from progressing to completed": ("True", "Progressing", [work()], {}, True),
    "from waiting to completed, both False": ("False", "WaitingForManifestApplied", [work()], {}, True),
    "the same as OCM has it": ("False", "WaitingForManifestApplied", [work()], {"compat": True}, False),
    "still progressing": ("True", "Progressing", [work(states=())], {}, False),
    "progressing to another configuration": (
        "True",
        "Progressing",
        [work(states=())],
        {"restarted": True},
        True,
    ),
    "the same, as OCM has it": (
        "True",
        "Progressing",
        [work(states=())],
        {"restarted": True, "compat": True},
        False,
    ),
}


@pytest.mark.parametrize("case", TIMES)
def test_soaks_and_deadlines_count_from_when_it_began(plain_catalog: Catalog, case: str) -> None:
    """The time moves on where a soak or a deadline begins anew, which OCM's does not always tell."""
    status, reason, works, how, moves = TIMES[case]
    old = {"type": "Progressing", "status": status, "reason": reason, "lastTransitionTime": BEFORE}
    found = told_of(plain_catalog, addon(conditions=(APPLIED, old)), works, **how)
    (condition,) = [c for c in found["conditions"] if c["type"] == "Progressing"]
    assert (condition["lastTransitionTime"] == "2026-01-01T12:00:00Z") is moves
    assert [c["type"] for c in found["conditions"]] == ["ManifestApplied", "Progressing"]
