"""Condition rules: conditions that works define, per manifest and summed up for the work."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.cases_feedback import STATUS
from tests.wire.agent.expected import Entry
from tests.wire.agent.kinds import GROUP, config, configs, note, obj, widget
from tests.wire.agent.moves import End, Ended, Expect, Gone, Seen, Status, Unchanged, Work

_HELD = {k: v for k, v in STATUS.items() if v is not None}
_AGGREGATED = "ConditionRulesAggregated"
_ERROR = "ConditionRuleExpressionError"


def cel(condition: str, *expressions: str, **more: str) -> Object:
    """A CEL rule."""
    return {"condition": condition, "type": "CEL", "celExpressions": list(expressions), **more}


def well_known(condition: str = "Complete", **more: str) -> Object:
    """A rule by name."""
    return {"condition": condition, "type": "WellKnownConditions", **more}


def _ruled(name: str, rules: list[Object], told: dict[str, Sequence[Any]]) -> Case:
    """Rules over one object; `told` is what its manifest then has."""
    manifest = note(status=_HELD)
    options = configs(config("notes", group=GROUP, conditionRules=rules))
    summed = {t: (v[0], _AGGREGATED, v[1]) for t, v in told.items()}
    return Case(name, [Work([manifest], options), Expect([Entry(manifest, rules=told)], conditions=summed)])


def _fine(name: str, expression: str, status: str = "True") -> Case:
    text = "Manifest is Fine" if status == "True" else "Manifest is not Fine"
    return _ruled(name, [cel("Fine", expression)], {"Fine": (status, text)})


_READY = 'object.status.conditions.exists(c, c.type == "Ready" && c.status == "True")'
_SYNCED = 'object.status.conditions.exists(c, c.type == "Synced" && c.status == "True")'

EXPRESSIONS = [
    _fine("true", "true"),
    _fine("false", "false", "False"),
    _fine("exists", _READY),
    _fine("exists not", _SYNCED, "False"),
    _fine("all", "object.status.conditions.all(c, c.count > 0)"),
    _fine(
        "a filter of conditions", 'object.status.conditions.filter(c, c.type == "Ready")[0].status == "True"'
    ),
    _fine("a map", 'object.status.conditions.map(c, c.type) == ["Ready", "Synced"]'),
    _fine("a size", "size(object.status.list) == 2"),
    _fine("has", "has(object.status.count)"),
    _fine("has not", "has(object.status.missing)", "False"),
    _fine("a number", "object.status.count == 7"),
    _fine("a comparison", "object.status.count > 6 && object.status.negative < 0"),
    _fine("a float", "object.status.half > 1.0"),
    _fine("a choice", 'object.status.yes ? object.status.text == "hello" : false'),
    _fine("a list", "object.status.count in [1, 7]"),
    _fine("a text", 'object.status.text.startsWith("he") && object.status.text.endsWith("lo")'),
    _fine("a text function", 'object.status.text.upperAscii() == "HELLO"'),
    _fine("a replacement", 'object.status.text.replace("l", "L") == "heLLo"'),
    _fine("a split", 'object.status.text.split("") .size() == 5'),
    _fine("a match", 'object.status.text.matches("^h.*o$")'),
    _fine("a regular expression", 'object.status.text.find("l+") == "ll"'),
    _fine("a list function", "object.status.list.sum() == 3"),
    _fine("a quantity", 'quantity("1Gi").isGreaterThan(quantity("1Mi"))'),
    _fine("an address", 'isIP("10.0.0.1")'),
    _fine("a name", 'object.metadata.name == "$me"'),
    _fine("has conditions", "hasConditions(object.status)"),
    _fine("has no conditions", "hasConditions(object)", "False"),
    _fine("conditions of text", 'hasConditions("text")', "False"),
]

RESULTS = [
    _ruled("no expressions", [cel("Fine")], {"Fine": ("True", "Manifest is Fine")}),
    _ruled("all of several", [cel("Fine", "true", _READY)], {"Fine": ("True", "Manifest is Fine")}),
    _ruled("one of several", [cel("Fine", "true", _SYNCED)], {"Fine": ("False", "Manifest is not Fine")}),
    _ruled(
        "the first false ends it",
        [cel("Fine", "false", "object.missing")],
        {"Fine": ("False", "Manifest is not Fine")},
    ),
    _ruled("a message", [cel("Fine", "true", message="so it is")], {"Fine": ("True", "so it is")}),
    _ruled(
        "a message of false", [cel("Fine", "false", message="either way")], {"Fine": ("False", "either way")}
    ),
    _ruled(
        "a message expression",
        [cel("Fine", "true", messageExpression='object.status.text + (result ? "!" : "?")')],
        {"Fine": ("True", "hello!")},
    ),
    _ruled(
        "a message expression of false",
        [cel("Fine", "false", messageExpression='object.status.text + (result ? "!" : "?")')],
        {"Fine": ("False", "hello?")},
    ),
    _ruled(
        "an expression wins over a message",
        [cel("Fine", "true", message="fixed", messageExpression='"made"')],
        {"Fine": ("True", "made")},
    ),
    _ruled(
        "an empty expression does not",
        [cel("Fine", "true", message="fixed", messageExpression='""')],
        {"Fine": ("True", "fixed")},
    ),
    _ruled(
        "an empty expression alone",
        [cel("Fine", "true", messageExpression='""')],
        {"Fine": ("True", "Manifest is Fine")},
    ),
    _ruled(
        "a message of no text",
        [cel("Fine", "true", messageExpression="7")],
        {"Fine": ("True", "expected message expression to have a string result, got int64")},
    ),
    _ruled(
        "a failing message",
        [cel("Fine", "true", messageExpression="object.missing")],
        {"Fine": ("True", "no such key: missing")},
    ),
    _ruled(
        "an unknown name in a message",
        [cel("Fine", "true", messageExpression="badcel")],
        {"Fine": ("True", "ERROR: <input>:1:1: undeclared reference to 'badcel' (in container '')")},
    ),
    _ruled(
        "two rules",
        [cel("Fine", "true"), cel("Good", "false")],
        {"Fine": ("True", "Manifest is Fine"), "Good": ("False", "Manifest is not Good")},
    ),
    _ruled(
        "one bad rule of two",
        [cel("Fine", "object.missing"), cel("Good", "true")],
        {"Fine": ("False", "no such key: missing", _ERROR), "Good": ("True", "Manifest is Good")},
    ),
]


def _bad(name: str, expression: str, message: str | re.Pattern[str]) -> Case:
    return _ruled(name, [cel("Fine", expression)], {"Fine": ("False", message, _ERROR)})


_TEN = "[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]"
_COSTLY = "true"
for _name in "abcdef":
    _COSTLY = f"{_TEN}.all({_name}, {_COSTLY})"

BAD = [
    _bad("a missing key", "object.status.missing", "no such key: missing"),
    _bad("below a missing key", "object.status.missing.deeper == 1", "no such key: missing"),
    _bad("text for a result", "object.status.text", "expected bool result, got string"),
    _bad("a number for a result", "object.status.count", "expected bool result, got int64"),
    _bad(
        "an unknown name",
        "nothing.status",
        re.compile("^ERROR: <input>:1:1: undeclared reference to 'nothing'"),
    ),
    _bad("result in a rule", "result", re.compile("^ERROR: <input>:1:1: undeclared reference to 'result'")),
    _bad(
        "no expression at all",
        "1 +",
        re.compile("^ERROR: <input>:1:4: Syntax error: mismatched input '<EOF>'"),
    ),
    _bad("outside a list of numbers", "object.status.list[5] == 1", "index out of bounds: 5"),
    _bad("too costly", _COSTLY, "operation cancelled: actual cost limit exceeded"),
    _bad("a division by zero", "object.status.count / 0 == 1", "division by zero"),
]

# --- well-known conditions ---------------------------------------------------------------------------

_POD = {"containers": [{"name": "main", "image": "example.com/web:1"}]}
_JOB = obj("batch/v1", "Job", spec={"template": {"spec": {**_POD, "restartPolicy": "Never"}}})
_POD_OBJECT = obj("v1", "Pod", spec=_POD)
_NOON = "2026-01-01T12:00:00Z"


def _told(type: str) -> Object:
    return {"type": type, "status": "True", "lastTransitionTime": _NOON, "lastProbeTime": _NOON}


_JOB_DONE = {
    "startTime": _NOON,
    "completionTime": _NOON,
    "succeeded": 1,
    "conditions": [_told("SuccessCriteriaMet"), _told("Complete")],
}
_JOB_FAILED = {"startTime": _NOON, "failed": 1, "conditions": [_told("FailureTarget"), _told("Failed")]}


def _completes(name: str, manifest: Object, config_: Object, status: Object, before: str, after: str) -> Case:
    """Not complete, then complete: the work is frozen from then on."""
    return Case(
        name,
        [
            Work([manifest], configs(config_)),
            Expect(
                [Entry(manifest, rules={"Complete": ("False", before)})],
                conditions={"Complete": ("False", _AGGREGATED, before)},
            ),
            Status(manifest, status),
            Expect(
                [Entry(manifest, rules={"Complete": ("True", after)})],
                conditions={"Complete": ("True", _AGGREGATED, after)},
            ),
            End(),
            Ended(gone=[manifest]),
        ],
    )


_JOBS = config("jobs", group="batch", conditionRules=[well_known()])
_PODS = config("pods", conditionRules=[well_known()])
WELL_KNOWN = [
    _completes("job complete", _JOB, _JOBS, _JOB_DONE, "Job is not finished", "Job is finished"),
    _completes("job failed", _JOB, _JOBS, _JOB_FAILED, "Job is not finished", "Job is finished"),
    _completes(
        "job with a message",
        _JOB,
        config("jobs", group="batch", conditionRules=[well_known(messageExpression='result ? "y" : "n"')]),
        _JOB_DONE,
        "n",
        "y",
    ),
    _completes(
        "pod succeeded",
        _POD_OBJECT,
        _PODS,
        {"phase": "Succeeded"},
        "Pod is in phase Pending",
        "Pod is in phase Succeeded",
    ),
    _completes(
        "pod failed",
        _POD_OBJECT,
        _PODS,
        {"phase": "Failed"},
        "Pod is in phase Pending",
        "Pod is in phase Failed",
    ),
    _ruled("no well-known kind", [well_known()], {}),
    _ruled("no well-known condition", [well_known("Other")], {}),
]

# --- summing up --------------------------------------------------------------------------------------


def _summed(name: str, states: str, status: str, message: str, *, type: str = "Fine") -> Case:
    """Several manifests, each `T` or `F` of a condition or (`-`) without it."""
    entries, options = [], []
    for at, state in enumerate(states):
        manifest = note(f"$me-{at}", spec={})
        rules: dict[str, Sequence[Any]] = {}
        if state != "-":
            holds = "true" if state == "T" else "false"
            options.append(
                config(
                    "notes",
                    group=GROUP,
                    name=f"$me-{at}",
                    conditionRules=[cel(type, holds, message=f"says {at}")],
                )
            )
            rules = {type: ("True" if state == "T" else "False", f"says {at}")}
        entries.append(Entry(manifest, rules=rules))
    conditions = {type: (status, _AGGREGATED, message)}
    return Case(
        name, [Work([e.manifest for e in entries], configs(*options)), Expect(entries, conditions=conditions)]
    )


_TWO = "Aggregated from 2 manifest conditions"
SUMMED = [
    _summed("one", "T", "True", "says 0"),
    _summed("one of two manifests", "-T", "True", "says 1"),
    _summed("both true", "TT", "True", _TWO),
    _summed("one false", "TF", "False", _TWO),
    _summed("both false", "FF", "False", _TWO),
    _summed("three", "TFT", "False", "Aggregated from 3 manifest conditions"),
    _summed("degraded is no exception", "TF", "False", _TWO, type="Degraded"),
    _summed("progressing: one is enough", "TF", "True", _TWO, type="Progressing"),
    _summed("progressing: none", "FF", "False", _TWO, type="Progressing"),
]

# --- as time goes on ---------------------------------------------------------------------------------

_LIVE = widget(spec={"size": 1})


def _on(*rules: Object) -> Object:
    return configs(config("widgets", group=GROUP, conditionRules=list(rules)))


_ONE = cel("Fine", "has(object.status) && object.status.count == 1")
_TOLD = {True: ("True", "Manifest is Fine"), False: ("False", "Manifest is not Fine")}


def _at(state: bool, **more: Any) -> Expect:
    status, text = _TOLD[state]
    return Expect(
        [Entry(_LIVE, rules={"Fine": _TOLD[state]}, **more)], conditions={"Fine": (status, _AGGREGATED, text)}
    )


_FROZEN = note(spec={"version": 1})
_THAWED = note(spec={"version": 2})
_DONE = configs(config("notes", group=GROUP, conditionRules=[cel("Complete", "true")]))
_IS_DONE = {"Complete": ("True", "Manifest is Complete")}
_WORK_DONE = {"Complete": ("True", _AGGREGATED, "Manifest is Complete")}
_OTHER = note("$me-other", spec={"version": 1})

FOLLOWED = [
    Case(
        "follows the object",
        [
            Work([_LIVE], _on(_ONE)),
            _at(False),
            Status(_LIVE, {"count": 1}),
            _at(True),
            Status(_LIVE, {"count": 2}),
            _at(False),
        ],
    ),
    Case(
        "a rule taken away",
        [Work([_LIVE], _on(_ONE)), _at(False), Work([_LIVE]), Expect([Entry(_LIVE)])],
    ),
    Case(
        "a rule renamed",
        [
            Work([_LIVE], _on(cel("Old", "true"))),
            Expect(
                [Entry(_LIVE, rules={"Old": ("True", "Manifest is Old")})],
                conditions={"Old": ("True", _AGGREGATED, "Manifest is Old")},
            ),
            Work([_LIVE], _on(_ONE)),
            _at(False),
        ],
    ),
    Case(
        "a complete work is neither changed nor made again",
        [
            Work([_FROZEN], _DONE),
            Expect([Entry(_FROZEN, rules=_IS_DONE)], conditions=_WORK_DONE),
            Work([_THAWED], _DONE),
            Seen(),
            Unchanged(_FROZEN),
            Gone(_FROZEN),
            Seen("False"),
            End(),
            Ended(gone=[_FROZEN]),
        ],
    ),
    Case(
        "a complete manifest of an incomplete work is left alone",
        [
            Work(
                [_FROZEN, _OTHER],
                configs(
                    config("notes", group=GROUP, conditionRules=[cel("Complete", "true")]),
                    config("notes", group=GROUP, name="$me-other", conditionRules=[cel("Complete", "false")]),
                ),
            ),
            Expect(
                [
                    Entry(_FROZEN, rules=_IS_DONE),
                    Entry(_OTHER, rules={"Complete": ("False", "Manifest is not Complete")}),
                ],
                conditions={"Complete": ("False", _AGGREGATED, "Aggregated from 2 manifest conditions")},
            ),
            Work(
                [_THAWED, {**_OTHER, "spec": {"version": 2}}],
                configs(
                    config("notes", group=GROUP, conditionRules=[cel("Complete", "true")]),
                    config("notes", group=GROUP, name="$me-other", conditionRules=[cel("Complete", "false")]),
                ),
            ),
            Expect(
                [
                    Entry(_THAWED, rules=_IS_DONE, live=_FROZEN),
                    Entry(
                        {**_OTHER, "spec": {"version": 2}},
                        rules={"Complete": ("False", "Manifest is not Complete")},
                    ),
                ],
                conditions={"Complete": ("False", _AGGREGATED, "Aggregated from 2 manifest conditions")},
            ),
        ],
    ),
]
