"""What the agent reports of an object: the protocol's table of values, as data."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from gitops_ocm.decide.agent.feedback import Feedback
from gitops_ocm.decide.contract import MergePatch, Side
from gitops_ocm.decide.kinds import MANIFEST_WORK
from gitops_ocm.decide.settings import AgentSettings
from gitops_ocm.objects.jsonpath import BadPath, field_steps, find
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import HUB_URL, Fleet

NOW = datetime(2026, 1, 1, tzinfo=UTC)
STATUS: Object = {
    "readyReplicas": 2,
    "replicas": 3,
    "ratio": 1.5,
    "whole": 2.0,
    "empty": "",
    "nothing": None,
    "yes": True,
    "list": [1, 2],
    "map": {"b": 1, "a": 2},
    "conditions": [{"type": "Ready", "status": "True"}, {"type": "Other", "status": "False"}],
}

VALUES: list[tuple[str, bool, Any]] = [
    (".status.readyReplicas", False, {"type": "Integer", "integer": 2}),
    ("$.status.yes", False, {"type": "Boolean", "boolean": True}),
    (".status.empty", False, {"type": "String", "string": ""}),
    ('.status.conditions[?(@.type=="Ready")].status', False, {"type": "String", "string": "True"}),
    (".status.conditions[*].status", False, {"type": "String", "string": "True"}),
    (".status.conditions[*].status", True, {"type": "JsonRaw", "jsonRaw": '["True","False"]'}),
    (".status.map", True, {"type": "JsonRaw", "jsonRaw": '{"a":2,"b":1}'}),
    (".status.ratio", True, {"type": "JsonRaw", "jsonRaw": "1.5"}),
    (".status.whole", True, {"type": "JsonRaw", "jsonRaw": "2"}),
    (".metadata.name", False, {"type": "String", "string": "web"}),
    (".status.nothing", False, None),
    (".status.missing.deeper", False, None),
    (".status.ratio", False, "the type float64 of the value for x is not found"),
    (
        ".status.list[5]",
        False,
        "failed to find value for x with error: array index out of bounds: index 5, length 2",
    ),
    ("status.replicas", False, "failed to find value for x with error: unrecognized identifier status"),
]


def reported(rules: list[Object], *, raw: bool = False) -> Object:
    """The entry of a Deployment with that status, after the agent has looked at it."""
    settings = AgentSettings("c1", HUB_URL, raw_feedback_json=raw)
    fleet = Fleet(["c1"], agent=settings)
    fleet.create(make.managed_cluster("c1"))
    live = make.deployment("web")
    option = {
        "resourceIdentifier": {
            "group": "apps",
            "resource": "deployments",
            "name": "web",
            "namespace": "default",
        },
        "feedbackRules": rules,
    }
    fleet.create(make.manifest_work("web", "c1", [live], manifestConfigs=[option]))
    world = fleet.spoke("c1")
    there = world.get(Ref("apps", "Deployment", "default", "web"))
    assert there is not None
    world.put({**there, "status": STATUS})
    fleet.advance(seconds=30)
    (entry,) = fleet.get(Ref(*MANIFEST_WORK, "c1", "web"))["status"]["resourceStatus"]["manifests"]
    assert fleet.simulation.unsettled() == []
    result: Object = entry
    return result


def synced(entry: Object) -> tuple[str, str, str]:
    """The StatusFeedbackSynced condition."""
    found = next(c for c in entry["conditions"] if c["type"] == "StatusFeedbackSynced")
    return found["status"], found["reason"], found["message"]


@pytest.mark.parametrize(("path", "raw", "expected"), VALUES)
def test_a_json_path_becomes_a_value_nothing_or_an_error(path: str, raw: bool, expected: Any) -> None:
    """Every row of the protocol's table."""
    entry = reported([{"type": "JSONPaths", "jsonPaths": [{"name": "x", "path": path}]}], raw=raw)
    values = entry.get("statusFeedback", {}).get("values", [])
    if isinstance(expected, str):
        assert values == []
        message = f"Sync status feedback failed with error {expected}"
        assert synced(entry) == ("False", "StatusFeedbackSyncFailed", message)
    else:
        assert values == ([{"name": "x", "fieldValue": expected}] if expected is not None else [])
        assert synced(entry) == ("True", "StatusFeedbackSynced", "")


def test_one_bad_rule_does_not_stop_the_others_and_names_are_unique() -> None:
    """Good values are reported beside the error; the first of a name counts."""
    paths = [
        {"name": "ReadyReplicas", "path": ".status.replicas"},
        {"name": "other", "path": ".status.list[9]"},
        {"name": "v2", "version": "v2", "path": ".status.replicas"},
    ]
    entry = reported([{"type": "WellKnownStatus"}, {"type": "JSONPaths", "jsonPaths": paths}])
    assert [v["name"] for v in entry["statusFeedback"]["values"]] == ["ReadyReplicas", "Replicas"]
    assert entry["statusFeedback"]["values"][0]["fieldValue"] == {"type": "Integer", "integer": 2}
    status, reason, message = synced(entry)
    assert (status, reason) == ("False", "StatusFeedbackSyncFailed")
    assert "version set in the path v2 is not matched for the related resource" in message


def test_without_rules_the_condition_says_so() -> None:
    """No rules, no values, and nothing wrong."""
    assert synced(reported([])) == ("True", "NoStatusFeedbackSynced", "")


def test_a_work_that_was_not_applied_is_not_reported_on() -> None:
    """Feedback waits for the apply row: it adds to that one's list."""
    fleet = Fleet()
    fleet.create(make.namespace("c1"), make.manifest_work("web", "c1", [make.config_map("a")]))
    view = fleet.simulation
    feedback = Feedback(AgentSettings("c1", HUB_URL))
    found = feedback(
        WorldView({Side.HUB: view.hub, Side.SPOKE: view.hub}, {}), Ref(*MANIFEST_WORK, "c1", "web"), NOW
    )
    assert not [a for a in found.actions if isinstance(a, MergePatch)]


PATHS: list[tuple[str, list[Any]]] = [
    (".a.b", [1]),
    ("$.a.b", [1]),
    ("['a']['b']", [1]),
    (".a['b']", [1]),
    (".list[0]", ["x"]),
    (".list[-1]", ["z"]),
    (".list[1:]", ["y", "z"]),
    (".list[*]", ["x", "y", "z"]),
    (".a.*", [1, 2]),
    ("..b", [1, 7]),
    (r".dotted\.key", [3]),
    ("['dotted.key']", [3]),
    (".items[?(@.n>1)].b", [7]),
    (".items[?(@.b)].n", [2]),
    (".items[?(@.s=='one')].n", [1]),
    (".nothing.at.all", []),
]
DOCUMENT = {
    "a": {"b": 1, "c": 2},
    "list": ["x", "y", "z"],
    "dotted.key": 3,
    "items": [{"n": 1, "s": "one"}, {"n": 2, "b": 7}],
}


@pytest.mark.parametrize(("path", "expected"), PATHS)
def test_json_paths(path: str, expected: list[Any]) -> None:
    """The subset Kubernetes has, each construct once."""
    assert find(path, DOCUMENT) == expected


@pytest.mark.parametrize("path", ["a", "{.a}", ".a[", ".a[?(b)]", ".list[7]", ".a[?(@.x==y)]", ""])
def test_paths_that_cannot_be_read_are_refused(path: str) -> None:
    """Never an empty answer for a mistake."""
    with pytest.raises(BadPath):
        find(path, DOCUMENT)


def test_field_steps_are_for_plain_fields_only() -> None:
    """A path through a list names no single field."""
    assert list(field_steps(".spec['a.b'].c")) == ["spec", "a.b", "c"]
    with pytest.raises(BadPath):
        list(field_steps(".spec.list[0]"))
