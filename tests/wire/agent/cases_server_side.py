"""Server-side apply: fields, their owners, conflicts, and fields that are left to others."""

from __future__ import annotations

import re
from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.cases_apply import failed
from tests.wire.agent.expected import ABSENT, Entry
from tests.wire.agent.kinds import GROUP, config, config_map, configs, note, obj, widget
from tests.wire.agent.moves import Change, End, Ended, Expect, Managed, There, Work

_OTHERWISE = "OCM's agent stops correcting the whole object; ours keeps the ignored fields as they are"


def side(resource: str = "configmaps", group: str = "", **options: Any) -> Object:
    """A work with server-side apply for its objects."""
    strategy = {"type": "ServerSideApply", **({"serverSideApply": options} if options else {})}
    return configs(config(resource, group=group, name="*", updateStrategy=strategy))


def _ignoring(*fields: Object, **more: Any) -> Object:
    return side("notes", GROUP, ignoreFields=list(fields), **more)


_ONE, _TWO = config_map(data={"a": "1"}), config_map(data={"a": "2"})
_BOTH = config_map(data={"a": "1", "b": "1"})
_THEIRS = config_map(data={"a": "theirs", "x": "too"})
_CONFLICT = failed("conflict")

APPLIED = [
    Case(
        "made",
        [
            Work([_ONE], side()),
            Expect([Entry(_ONE)]),
            Managed(_ONE, "work-agent", "f:data.f:a"),
            End(),
            Ended(gone=[_ONE]),
        ],
    ),
    Case(
        "changed", [Work([_ONE], side()), Expect([Entry(_ONE)]), Work([_TWO], side()), Expect([Entry(_TWO)])]
    ),
    Case(
        "a field dropped goes",
        [
            Work([_BOTH], side()),
            Expect([Entry(_BOTH)]),
            Work([_ONE], side()),
            Expect([Entry(_ONE, live=config_map(data={"a": "1", "b": ABSENT}))]),
        ],
    ),
    Case(
        "a label dropped goes",
        [
            Work([config_map(labels={"a": "1", "b": "1"})], side()),
            Expect([Entry(config_map(labels={"a": "1", "b": "1"}))]),
            Work([config_map(labels={"a": "1"})], side()),
            Expect([Entry(config_map(labels={"a": "1"}), live=config_map(labels={"a": "1", "b": ABSENT}))]),
        ],
    ),
    Case(
        "others' fields stay",
        [
            Work([_ONE], side()),
            Expect([Entry(_ONE)]),
            Change(_ONE, {"data": {"x": "theirs"}}),
            Work([_TWO], side()),
            Expect([Entry(_TWO, live=config_map(data={"a": "2", "x": "theirs"}))]),
        ],
    ),
    Case(
        "a manager of its own",
        [
            Work([_ONE], side(fieldManager="work-agent-blue")),
            Expect([Entry(_ONE)]),
            Managed(_ONE, "work-agent-blue", "f:data.f:a"),
        ],
    ),
    Case(
        "cluster-scoped",
        [
            Work([obj("v1", "Namespace", "$me", None)], side("namespaces")),
            Expect([Entry(obj("v1", "Namespace", "$me", None))]),
        ],
    ),
    Case(
        "custom resource",
        [Work([widget(spec={"size": 1})], side("widgets", GROUP)), Expect([Entry(widget(spec={"size": 1}))])],
    ),
    Case(
        "an invalid object",
        [
            Work([widget(spec={"size": 11})], side("widgets", GROUP)),
            Expect(
                [
                    Entry(
                        widget(spec={"size": 11}), applied=failed("spec.size"), available="False", live=ABSENT
                    )
                ]
            ),
        ],
    ),
    Case(
        "from update to server-side",
        [Work([_ONE]), Expect([Entry(_ONE)]), Work([_TWO], side(force=True)), Expect([Entry(_TWO)])],
    ),
    Case(
        "orphaned",
        [
            Work([_ONE], {**side(), "deleteOption": {"propagationPolicy": "Orphan"}}),
            Expect([Entry(_ONE, owned=False)]),
            End(),
            Ended(left=[_ONE]),
        ],
    ),
]

CONFLICTS = [
    Case(
        "a conflict",
        [
            There(_THEIRS),
            Work([_ONE], side()),
            Expect([Entry(_ONE, applied=_CONFLICT, live=_THEIRS, owned=False)]),
        ],
    ),
    Case(
        "a conflict beside another",
        [
            There(_THEIRS),
            Work([_ONE, config_map("$me-b")], side()),
            Expect([Entry(_ONE, applied=_CONFLICT, live=_THEIRS, owned=False), Entry(config_map("$me-b"))]),
        ],
    ),
    Case(
        "taken by force",
        [
            There(_THEIRS),
            Work([_ONE], side(force=True)),
            Expect([Entry(_ONE, live=config_map(data={"a": "1", "x": "too"}))]),
        ],
    ),
    Case(
        "a conflict, then force",
        [
            There(_THEIRS),
            Work([_ONE], side()),
            Expect([Entry(_ONE, applied=_CONFLICT, live=_THEIRS, owned=False)]),
            Work([_ONE], side(force=True)),
            Expect([Entry(_ONE)]),
        ],
    ),
    Case("the same value is none", [There(_ONE), Work([_ONE], side()), Expect([Entry(_ONE)])]),
    Case(
        "another field is none",
        [There(config_map(data={"x": "1"})), Work([_ONE], side()), Expect([Entry(_ONE)])],
    ),
    Case(
        "a conflict with another work's manager",
        [
            Work([_ONE], side(fieldManager="work-agent-one"), name="$me-one"),
            Expect([Entry(_ONE)], name="$me-one"),
            Work([_TWO], side(fieldManager="work-agent-two"), name="$me-two"),
            Expect([Entry(_TWO, applied=_CONFLICT, live=_ONE, owned=False, others=1)], name="$me-two"),
        ],
    ),
]

# --- ignoreFields ------------------------------------------------------------------------------------

_PRESENT = {"condition": "OnSpokePresent"}
_CHANGE = {"condition": "OnSpokeChange"}
_SPEC = note(spec={"kept": 1, "left": 1})
_NEXT = note(spec={"kept": 2, "left": 2})
_EDIT = {"spec": {"left": 9}}


def _left(name: str, field: Object, live: Object, before: Object = _SPEC, edit: Object = _EDIT) -> Case:
    """Somebody changes a field, then the manifest changes; `live` is what comes of it."""
    options = _ignoring(field, force=True)
    return Case(
        name,
        [
            Work([before], options),
            Expect([Entry(before)]),
            Change(before, edit),
            Work([_NEXT], options),
            Expect([Entry(_NEXT, live=live)]),
        ],
    )


_BAD_JQ = re.compile(r"^Failed to process ignoreFields: JQ expression error in '\.spec(\[|\.left\.deeper)'")
_STAYS = note(spec={"kept": 2, "left": 9})
IGNORED = [
    _left("a path", {**_PRESENT, "jsonPaths": [".spec.left"]}, _STAYS),
    _left("a pointer", {**_PRESENT, "jsonPointers": ["/spec/left"]}, _STAYS),
    _left("a jq path", {**_PRESENT, "jqPathExpressions": [".spec.left"]}, _STAYS),
    _left("on change: the manifest wins", {**_CHANGE, "jsonPaths": [".spec.left"]}, _NEXT),
    _left("a missing path", {**_PRESENT, "jsonPaths": [".spec.none"]}, _NEXT),
    _left("a missing pointer", {**_PRESENT, "jsonPointers": ["/spec/none"]}, _NEXT),
    _left("a pointer below a number", {**_PRESENT, "jsonPointers": ["/spec/left/deeper"]}, _NEXT),
    _left("a pointer past a list", {**_PRESENT, "jsonPointers": ["/spec/list/9"]}, _NEXT),
    _left("a path below a number", {**_PRESENT, "jsonPaths": [".spec.left.deeper"]}, _NEXT),
    _left("a pointer without its slash", {**_PRESENT, "jsonPointers": ["spec/left"]}, _NEXT),
    Case(
        "made with all fields",
        [
            Work([_SPEC], _ignoring({**_PRESENT, "jsonPaths": [".spec.left"]})),
            Expect([Entry(_SPEC)]),
        ],
    ),
    *(
        Case(
            name,
            [
                Work([_SPEC], _ignoring({**_PRESENT, "jqPathExpressions": [path]})),
                Expect(
                    [
                        Entry(
                            _SPEC,
                            applied=_BAD_JQ,
                            reason="AppliedManifestSSAIgnoreFieldError",
                            available="False",
                            live=ABSENT,
                        )
                    ]
                ),
            ],
        )
        for name, path in (("a bad jq path", ".spec["), ("a jq path below a number", ".spec.left.deeper"))
    ),
    Case(
        "an ignored field on the cluster is left",
        [
            Work([_SPEC], _ignoring({**_PRESENT, "jsonPaths": [".spec.left"]}, force=True)),
            Expect([Entry(_SPEC)]),
            Change(_SPEC, {"spec": {"left": 9, "kept": 9}}),
            Expect([Entry(_SPEC, live=note(spec={"kept": 1, "left": 9}))]),
        ],
        differs=_OTHERWISE,
    ),
]
