"""Feedback rules: which values are reported of an object, as which type, and what is said of bad rules."""

from __future__ import annotations

import re
from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.expected import Entry, Raw, Text
from tests.wire.agent.kinds import GROUP, config, config_map, configs, note, obj, widget
from tests.wire.agent.moves import Expect, Gone, Status, There, Work

_POD = {"containers": [{"name": "main", "image": "example.com/web:1"}]}
_TEMPLATE = {"metadata": {"labels": {"app": "$me"}}, "spec": _POD}
_SELECTED = {"selector": {"matchLabels": {"app": "$me"}}, "template": _TEMPLATE}
WELL_KNOWN: dict[str, Any] = {"feedbackRules": [{"type": "WellKnownStatus"}]}
_FAILED = "Sync status feedback failed with error "
_NOON = "2026-01-01T12:00:00Z"


def _told(type: str, status: str = "True") -> Object:
    return {"type": type, "status": status, "lastTransitionTime": _NOON, "lastProbeTime": _NOON}


# --- the values of well-known kinds -----------------------------------------------------------------


def _known(name: str, manifest: Object, resource: str, status: Object, values: list[tuple[str, Any]]) -> Case:
    """Values as they come, after the status was reported on the managed cluster."""
    group = manifest["apiVersion"].rpartition("/")[0]
    work = Work([manifest], configs(config(resource, group=group, **WELL_KNOWN)))
    before: list[tuple[str, Any]] = [("PodPhase", "Pending")] if manifest["kind"] == "Pod" else []
    if manifest["kind"] == "DaemonSet":
        before = [(n, 0) for n in ("NumberReady", "DesiredNumberScheduled")]
    return Case(
        name,
        [
            work,
            Expect([Entry(manifest, values=before, feedback="")]),
            Status(manifest, status),
            Expect([Entry(manifest, values=values, feedback="")]),
        ],
    )


_DEPLOYMENT = obj("apps/v1", "Deployment", spec=_SELECTED)
_DAEMONS = obj("apps/v1", "DaemonSet", spec=_SELECTED)
_JOB = obj("batch/v1", "Job", spec={"template": {"spec": {**_POD, "restartPolicy": "Never"}}})
_POD_OBJECT = obj("v1", "Pod", spec=_POD)
_DONE = {
    "startTime": _NOON,
    "completionTime": _NOON,
    "succeeded": 1,
    "conditions": [_told("SuccessCriteriaMet"), _told("Complete")],
}

KNOWN = [
    _known(
        "deployment, all three",
        _DEPLOYMENT,
        "deployments",
        {"readyReplicas": 1, "replicas": 2, "availableReplicas": 1},
        [("ReadyReplicas", 1), ("Replicas", 2), ("AvailableReplicas", 1)],
    ),
    _known("deployment, some", _DEPLOYMENT, "deployments", {"replicas": 2}, [("Replicas", 2)]),
    _known(
        "daemon set",
        _DAEMONS,
        "daemonsets",
        {
            "numberReady": 1,
            "desiredNumberScheduled": 3,
            "numberAvailable": 2,
            "currentNumberScheduled": 3,
            "numberMisscheduled": 0,
        },
        [("NumberReady", 1), ("DesiredNumberScheduled", 3), ("NumberAvailable", 2)],
    ),
    _known("job", _JOB, "jobs", _DONE, [("JobComplete", "True"), ("JobSucceeded", 1)]),
    _known(
        "pod",
        _POD_OBJECT,
        "pods",
        {"phase": "Running", "conditions": [_told("Ready")]},
        [("PodReady", "True"), ("PodPhase", "Running")],
    ),
    _known(
        "pod not ready",
        _POD_OBJECT,
        "pods",
        {"phase": "Pending", "conditions": [_told("Ready", "False")]},
        [("PodReady", "False"), ("PodPhase", "Pending")],
    ),
]


def _unknown(name: str, manifest: Object, resource: str, shown: str) -> Case:
    group = manifest["apiVersion"].rpartition("/")[0]
    text = f"{_FAILED}cannot find the wellknown statuses for resource with gvk {shown}"
    options = configs(config(resource, group=group, **WELL_KNOWN))
    return Case(name, [Work([manifest], options), Expect([Entry(manifest, feedback=text)])])


_STATEFUL = obj("apps/v1", "StatefulSet", spec={**_SELECTED, "serviceName": "$me"})
NOT_KNOWN = [
    _unknown("stateful set", _STATEFUL, "statefulsets", "apps/v1, Kind=StatefulSet"),
    _unknown("config map", config_map(), "configmaps", "/v1, Kind=ConfigMap"),
    _unknown("custom resource", note(), "notes", f"{GROUP}/v1, Kind=Note"),
]

# --- paths ----------------------------------------------------------------------------------------

STATUS: Object = {
    "count": 7,
    "negative": -3,
    "zero": 0,
    "big": 9007199254740993,
    "yes": True,
    "no": False,
    "text": "hello",
    "empty": "",
    "nothing": None,
    "half": 1.5,
    "whole": 2.5,
    "list": [1, 2],
    "names": ["a", "b"],
    "map": {"b": 1, "a": "x"},
    "dotted.key": "d",
    "long": ["0123456789" * 12] * 10,
    "conditions": [
        {"type": "Ready", "status": "True", "count": 1},
        {"type": "Synced", "status": "False", "count": 2},
    ],
}
_HELD = {k: v for k, v in STATUS.items() if v is not None}


def paths(*entries: tuple[str, str], version: str = "") -> Object:
    """A feedback rule of paths."""
    more = {"version": version} if version else {}
    return {"type": "JSONPaths", "jsonPaths": [{"name": n, "path": p, **more} for n, p in entries]}


def _read(name: str, path: str, value: Any = None, fault: Text | None = None) -> Case:
    """One path over the status above; `fault` is what is said of a bad one."""
    manifest = note(status=_HELD)
    values = [] if value is None else [("it", value)]
    options = configs(config("notes", group=GROUP, feedbackRules=[paths(("it", path))]))
    text: Text = "" if fault is None else (f"{_FAILED}{fault}" if isinstance(fault, str) else fault)
    return Case(name, [Work([manifest], options), Expect([Entry(manifest, values=values, feedback=text)])])


def _not_found(type: str) -> str:
    return f"the type {type} of the value for it is not found"


def _parse(path: str) -> re.Pattern[str]:
    return re.compile(f"^{re.escape(_FAILED)}failed to parse json path {re.escape(path)} of it with error: ")


PATHS = [
    _read("an integer", ".status.count", 7),
    _read("a negative integer", ".status.negative", -3),
    _read("zero", ".status.zero", 0),
    _read("a big integer", ".status.big", 9007199254740993),
    _read("true", ".status.yes", True),
    _read("false", ".status.no", False),
    _read("text", ".status.text", "hello"),
    _read("empty text", ".status.empty", ""),
    _read("from the root", "$.status.text", "hello"),
    _read("metadata", ".metadata.name", "$me"),
    _read("kind", ".kind", "Note"),
    _read("api version", ".apiVersion", f"{GROUP}/v1"),
    _read("a missing key", ".status.missing"),
    _read("below a missing key", ".status.missing.deeper"),
    _read("below text", ".status.text.deeper"),
    _read("an item", ".status.names[0]", "a"),
    _read("an item from the end", ".status.names[-1]", "b"),
    _read("all items, the first counts", ".status.names[*]", "a"),
    _read("a slice, the first counts", ".status.names[1:2]", "b"),
    _read("a quoted key", ".status['text']", "hello"),
    _read("a key with a dot", ".status.dotted\\.key", "d"),
    _read("a filter", '.status.conditions[?(@.type=="Ready")].status', "True"),
    _read("another filter", '.status.conditions[?(@.type=="Synced")].count', 2),
    _read("a filter by number", ".status.conditions[?(@.count==2)].type", "Synced"),
    _read("a filter by more", ".status.conditions[?(@.count>1)].type", "Synced"),
    _read("a filter by inequality", '.status.conditions[?(@.type!="Ready")].type', "Synced"),
    _read("a filter without a match", '.status.conditions[?(@.type=="Gone")].status'),
    _read("a filter by presence", ".status.conditions[?(@.status)].type", "Ready"),
    _read("anywhere below", "..phase"),
    _read("a float", ".status.half", None, _not_found("float64")),
    _read("a list", ".status.list", None, _not_found("[]interface {}")),
    _read("a map", ".status.map", None, _not_found("map[string]interface {}")),
    _read(
        "outside a list",
        ".status.names[5]",
        None,
        "failed to find value for it with error: array index out of bounds: index 5, length 2",
    ),
    _read(
        "without a dot",
        "status.text",
        None,
        "failed to find value for it with error: unrecognized identifier status",
    ),
    _read("in braces", "{.status.text}", None, _parse("{.status.text}")),
    _read("an open bracket", ".status.names[", None, _parse(".status.names[")),
    _read("an open quote", ".status['text", None, _parse(".status['text")),
    _read("an open filter", ".status.conditions[?(@.type==", None, _parse(".status.conditions[?(@.type==")),
]

_COUNT = ("count", ".status.count")
_BAD = ("bad", ".status.half")
_BAD_TEXT = "the type float64 of the value for bad is not found"
_MANY = note(status=_HELD)


def _rules(
    name: str, rules: list[Object], values: list[tuple[str, Any]], fault: str = "", **entry: Any
) -> Case:
    options = configs(config("notes", group=GROUP, feedbackRules=rules))
    text = f"{_FAILED}{fault}" if fault else ""
    return Case(name, [Work([_MANY], options), Expect([Entry(_MANY, values=values, feedback=text, **entry)])])


_V2 = "version set in the path count is not matched for the related resource"
RULES = [
    _rules("several values", [paths(_COUNT, ("text", ".status.text"))], [("count", 7), ("text", "hello")]),
    _rules("several rules", [paths(_COUNT), paths(("yes", ".status.yes"))], [("count", 7), ("yes", True)]),
    _rules("one bad path", [paths(_BAD, _COUNT)], [("count", 7)], _BAD_TEXT),
    _rules(
        "two bad paths",
        [paths(_BAD, ("worse", ".status.list"))],
        [],
        f"[{_BAD_TEXT}, the type []interface {{}} of the value for worse is not found]",
    ),
    _rules(
        "bad paths in two rules",
        [paths(_BAD), paths(_COUNT, ("worse", ".status.list"))],
        [("count", 7)],
        f"[{_BAD_TEXT}, the type []interface {{}} of the value for worse is not found]",
    ),
    _rules("the same fault twice", [paths(_BAD), paths(_BAD)], [], _BAD_TEXT),
    _rules("the version", [paths(_COUNT, version="v1")], [("count", 7)]),
    _rules("another version", [paths(_COUNT, version="v2")], [], _V2),
    _rules(
        "well-known and paths",
        [{"type": "WellKnownStatus"}, paths(_COUNT)],
        [("count", 7)],
        f"cannot find the wellknown statuses for resource with gvk {GROUP}/v1, Kind=Note",
    ),
    _rules("no paths", [{"type": "JSONPaths"}], []),
]

# --- which configuration is in force -----------------------------------------------------------------

_OTHER = ("text", ".status.text")


def _chosen(name: str, entries: list[Object], values: list[tuple[str, Any]] | None) -> Case:
    manifest = note(status=_HELD)
    entry = Entry(manifest, values=values or [], feedback=None if values is None else "")
    return Case(name, [Work([manifest], configs(*entries)), Expect([entry])])


def _of(rule: tuple[str, str] | None = _COUNT, **identifier: str) -> Object:
    rules: dict[str, Any] = {"feedbackRules": [paths(rule)]} if rule else {}
    return config("notes", **{"group": GROUP, **identifier}, **rules)


CHOSEN = [
    _chosen("by name", [_of()], [("count", 7)]),
    _chosen("another name", [_of(name="other")], None),
    _chosen("another group", [_of(group="apps")], None),
    _chosen("another namespace", [_of(namespace="other")], None),
    _chosen("no namespace", [_of(namespace="")], None),
    _chosen("any name", [_of(name="*")], [("count", 7)]),
    _chosen("any namespace", [_of(namespace="*")], [("count", 7)]),
    _chosen("the start of a name", [_of(name="w*")], [("count", 7)]),
    _chosen("the end of a name", [_of(name="*$me")], [("count", 7)]),
    _chosen("several stars", [_of(name="*w**-*")], [("count", 7)]),
    _chosen("the wrong end", [_of(name="*-nope")], None),
    _chosen("a question mark is itself", [_of(name="?*")], None),
    _chosen("a dot is itself", [_of(name=".*")], None),
    _chosen("the first that matches", [_of(), _of(_OTHER, name="*")], [("count", 7)]),
    _chosen("the first that has rules", [_of(None), _of(_OTHER, name="*")], [("text", "hello")]),
]

# --- as time goes on ---------------------------------------------------------------------------------

_LIVE = widget(spec={"size": 1})
_WATCHED = configs(config("widgets", group=GROUP, feedbackRules=[paths(_COUNT)], feedbackScrapeType="Watch"))
_POLLED = configs(config("widgets", group=GROUP, feedbackRules=[paths(_COUNT)]))
_NO_RULES = configs()


def _followed(name: str, options: Object) -> Case:
    """Values follow the object."""
    return Case(
        name,
        [
            Work([_LIVE], options),
            Expect([Entry(_LIVE, feedback="")]),
            Status(_LIVE, {"count": 1}),
            Expect([Entry(_LIVE, values=[("count", 1)], feedback="")]),
            Status(_LIVE, {"count": 2}),
            Expect([Entry(_LIVE, values=[("count", 2)], feedback="")]),
            Status(_LIVE, {"count": None}),
            Expect([Entry(_LIVE, feedback="")]),
        ],
    )


_BEFORE = Expect([Entry(_LIVE, feedback="")])
_LOOKED_AT = configs(
    config("widgets", group=GROUP, updateStrategy={"type": "ReadOnly"}, feedbackRules=[paths(_COUNT)])
)
FOLLOWED = [
    _followed("polled", _POLLED),
    _followed("watched", _WATCHED),
    Case(
        "rules taken away",
        [
            Work([_LIVE], _POLLED),
            _BEFORE,
            Status(_LIVE, {"count": 1}),
            Expect([Entry(_LIVE, values=[("count", 1)], feedback="")]),
            Work([_LIVE], _NO_RULES),
            Expect([Entry(_LIVE)]),
        ],
    ),
    Case(
        "a value of another type",
        [
            Work([_LIVE], _POLLED),
            _BEFORE,
            Status(_LIVE, {"count": 1}),
            Expect([Entry(_LIVE, values=[("count", 1)], feedback="")]),
            Status(_LIVE, {"count": "one"}),
            Expect([Entry(_LIVE, values=[("count", "one")], feedback="")]),
        ],
    ),
    Case(
        "values stay while the object is missing",
        [
            There({**_LIVE, "status": {"count": 1}}),
            Work([_LIVE], _LOOKED_AT),
            Expect([Entry(_LIVE, values=[("count", 1)], feedback="", owned=False)]),
            Gone(_LIVE),
            Expect([Entry(_LIVE, values=[("count", 1)], feedback="", available="False")], ledger=False),
        ],
    ),
]

# --- with RawFeedbackJsonString ----------------------------------------------------------------------

_LONG = '["' + '","'.join(["0123456789" * 12] * 10) + '"]'
RAW = [
    _read("raw integer", ".status.count", 7),
    _read("raw float", ".status.half", Raw("1.5")),
    _read("raw list", ".status.list", Raw("[1,2]")),
    _read("raw map", ".status.map", Raw('{"a":"x","b":1}')),
    _read("raw several", ".status.names[*]", Raw('["a","b"]')),
    _read("raw one item", ".status.names[0]", "a"),
    _read("raw filter", ".status.conditions[*].type", Raw('["Ready","Synced"]')),
    _read(
        "raw too long",
        ".status.long",
        None,
        "the length of returned json raw string for name it is larger than the maximum length 1024",
    ),
    _read("raw missing", ".status.missing"),
]
