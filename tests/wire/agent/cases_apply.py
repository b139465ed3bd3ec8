"""What works may hold: several manifests, odd ones, impossible ones; and what is said of each."""

from __future__ import annotations

import re
from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.expected import ABSENT, Entry
from tests.wire.agent.kinds import GROUP, config_map, definition, gadget, note, obj, widget
from tests.wire.agent.moves import Change, End, Ended, Expect, Gone, There, Work

_FAILED = "Failed to apply manifest: "
_A, _B = config_map("$me-a"), config_map("$me-b")


def failed(text: str) -> re.Pattern[str]:
    """The message of a failure whose end is the API server's."""
    return re.compile(f"^{re.escape(_FAILED)}(.*: )?.*{text}", re.DOTALL)


def _namespace(name: str = "$me") -> Object:
    return obj("v1", "Namespace", name, None)


def _simple(name: str, *entries: Entry, more: Any = (), **expect: Any) -> Case:
    return Case(name, [Work([e.manifest for e in entries]), Expect(entries, **expect), *more])


def _missing(manifest: Object, why: Any, **more: Any) -> Entry:
    return Entry(manifest, applied=why, available="False", live=ABSENT, **more)


# --- several manifests -------------------------------------------------------------------------------

_IN_NEW = obj("v1", "ConfigMap", "$me", "$me", data={"a": "b"})
_PLACED = obj(f"{GROUP}/v1", "Gadget", spec={"a": 1})
SEVERAL = [
    _simple("two of a kind", Entry(_A), Entry(_B)),
    _simple("two kinds", Entry(_A), Entry(obj("v1", "Secret", data={"a": "Yg=="}))),
    _simple("twenty", *(Entry(config_map(f"$me-{n}")) for n in range(20))),
    _simple("the namespace after what is in it", Entry(_IN_NEW), Entry(_namespace())),
    _simple("the namespace before what is in it", Entry(_namespace()), Entry(_IN_NEW)),
    _simple("namespaced and cluster-scoped", Entry(_A), Entry(gadget(spec={"a": 1}))),
    _simple(
        "names in two namespaces", Entry(config_map("$me")), Entry(obj("v1", "ConfigMap", "$me", "default"))
    ),
    _simple(
        "labels and annotations", Entry(config_map(labels={"a": "1"}, annotations={"b.example.com/c": "2"}))
    ),
    _simple("a finalizer of its own", Entry(note(metadata={"finalizers": ["example.com/hold"]}))),
    _simple("a uid is ignored", Entry(config_map(uid="not-a-uid"), live=config_map())),
    _simple("an empty creation time", Entry(config_map(creationTimestamp=None), live=config_map())),
    _simple("data that is empty", Entry(obj("v1", "ConfigMap"))),
    _simple("text of 200 KB", Entry(config_map(data={"long": "0123456789" * 20000}))),
    _simple("many short objects", *(Entry(note(f"$me-{n}", spec={"n": n})) for n in range(40))),
    Case(
        "a cluster-scoped object with a namespace",
        [Work([_PLACED]), Expect([Entry(_PLACED, live=gadget(spec={"a": 1}))])],
        differs="OCM's agent asks for a path that no server has; ours leaves the namespace out",
    ),
    _simple(
        "string data",
        Entry(obj("v1", "Secret", stringData={"a": "b"}), live=obj("v1", "Secret", data={"a": "Yg=="})),
    ),
    _simple(
        "a status in a manifest",
        Entry(
            widget(spec={"size": 1}, status={"count": 1}), live={**widget(spec={"size": 1}), "status": ABSENT}
        ),
    ),
    _simple("a status without a subresource", Entry(note(status={"count": 1}))),
    Case(
        "labels of the work",
        [Work([_A], labels={"team": "blue"}), Expect([Entry(_A)], labels={"team": "blue"})],
    ),
]

# --- one definition and its objects ------------------------------------------------------------------


def _own_kind(plural: str, kind: str) -> tuple[Object, Object]:
    crd = definition(kind, plural)
    return crd, obj(f"{GROUP}/v1", kind, spec={"a": 1})


OWN_KINDS = [_own_kind("cogs", "Cog"), _own_kind("levers", "Lever")]
"""(CRD, object of it); the kinds are not there before."""

# --- failures ----------------------------------------------------------------------------------------

_UNKNOWN = obj("nowhere.example.com/v1", "Nothing", spec={})
_OTHER_VERSION = obj(f"{GROUP}/v7", "Note", spec={})
_NO_RESOURCE: dict[str, Any] = {"available": "Unknown", "live": ABSENT}
_BIG = {**note(), "spec": {"size": 11}}
_LOST = obj("v1", "ConfigMap", "$me", "$me-lost", data={"a": "b"})

_BAD_PORT = obj("v1", "Service", spec={"ports": [{"port": 99999}]})
FAULTS = [
    _simple(
        "an unknown kind",
        Entry(_UNKNOWN, applied=failed('the server doesn\'t have a resource type "Nothing"'), **_NO_RESOURCE),
    ),
    _simple(
        "an unknown version",
        Entry(
            _OTHER_VERSION, applied=failed('the server doesn\'t have a resource type "Note"'), **_NO_RESOURCE
        ),
    ),
    _simple(
        "an unknown kind beside another",
        Entry(_A),
        Entry(_UNKNOWN, applied=failed("resource type"), **_NO_RESOURCE),
        ledger=False,
    ),
    _simple("a missing namespace", _missing(_LOST, failed('namespaces "[^"]*-lost" not found'))),
    _simple("a missing namespace beside another", Entry(_A), _missing(_LOST, failed("not found"))),
    _simple(
        "no namespace",
        _missing(obj("v1", "ConfigMap", "$me", None), failed("(namespace|does not allow this method)")),
    ),
    Case(
        "an invalid object",
        [Work([_BAD_PORT]), Expect([_missing(_BAD_PORT, failed("99999"))])],
    ),
    _simple("an invalid custom resource", _missing(widget(spec={"size": 11}), failed("spec.size"))),
    _simple("a wrong type", _missing(widget(spec={"size": "large"}), failed("spec.size"))),
    _simple("a bad name", _missing(config_map("Not_A_Name"), failed("Not_A_Name"))),
    _simple(
        "one bad of three", Entry(_A), _missing(widget(spec={"size": 11}), failed("spec.size")), Entry(_B)
    ),
    _simple(
        "data that says two things",
        _missing(obj("v1", "Secret", data={"a": "Yg=="}, stringData={"a": "c"}), failed("stringData")),
    ),
]

HEALED = [
    Case(
        "the namespace comes later",
        [
            Work([_LOST]),
            Expect([_missing(_LOST, failed("not found"))]),
            There(_namespace("$me-lost")),
            Expect([Entry(_LOST)]),
        ],
    ),
    Case(
        "the manifest is mended",
        [
            Work([widget(spec={"size": 11})]),
            Expect([_missing(widget(spec={"size": 11}), failed("spec.size"))]),
            Work([widget(spec={"size": 1})]),
            Expect([Entry(widget(spec={"size": 1}))]),
        ],
    ),
    Case(
        "a good manifest goes bad",
        [
            Work([widget(spec={"size": 1})]),
            Expect([Entry(widget(spec={"size": 1}))]),
            Work([widget(spec={"size": 11})]),
            Expect(
                [Entry(widget(spec={"size": 11}), applied=failed("spec.size"), live=widget(spec={"size": 1}))]
            ),
        ],
    ),
    Case(
        "an unknown kind is left out",
        [
            Work([_A, _UNKNOWN]),
            Expect(
                [Entry(_A), Entry(_UNKNOWN, applied=failed("resource type"), **_NO_RESOURCE)], ledger=False
            ),
            Work([_A]),
            Expect([Entry(_A)]),
        ],
    ),
    Case(
        "nothing is pruned while a kind is unknown",
        [
            Work([_A, _B]),
            Expect([Entry(_A), Entry(_B)]),
            Work([_A, _UNKNOWN]),
            Expect(
                [Entry(_A), Entry(_UNKNOWN, applied=failed("resource type"), **_NO_RESOURCE)], ledger=False
            ),
            Work([_A, _B]),
            Expect([Entry(_A), Entry(_B)]),
        ],
    ),
]

# --- objects that are there beforehand, and two works -------------------------------------------------

_THEIRS = config_map(data={"key": "theirs", "other": "too"})
_OURS = config_map(data={"key": "ours"})
_FIRST, _SECOND = "$me-first", "$me-second"
BESIDE = [
    Case(
        "an object that is there is taken over",
        [
            There(_THEIRS),
            Work([_OURS]),
            Expect([Entry(_OURS, live={**_OURS, "data": {"key": "ours"}})]),
            End(),
            Ended(gone=[_OURS]),
        ],
    ),
    Case(
        "an object that is there and the same",
        [There(_OURS), Work([_OURS]), Expect([Entry(_OURS)]), End(), Ended(gone=[_OURS])],
    ),
    Case(
        "two works of one object",
        [
            Work([_A], name=_FIRST),
            Expect([Entry(_A)], name=_FIRST),
            Work([_A], name=_SECOND),
            Expect([Entry(_A, others=1)], name=_SECOND),
            Expect([Entry(_A, others=1)], name=_FIRST),
            End(name=_FIRST),
            Ended(name=_FIRST),
            Expect([Entry(_A)], name=_SECOND),
            End(name=_SECOND),
            Ended(gone=[_A], name=_SECOND),
        ],
    ),
    Case(
        "one of two works drops the object",
        [
            Work([_A, _B], name=_FIRST),
            Expect([Entry(_A), Entry(_B)], name=_FIRST),
            Work([_A], name=_SECOND),
            Expect([Entry(_A, others=1)], name=_SECOND),
            Work([_B], name=_FIRST),
            Expect([Entry(_B)], name=_FIRST),
            Expect([Entry(_A)], name=_SECOND),
        ],
    ),
    Case(
        "the first of two works holds the content",
        [
            Work([config_map(data={"key": "first"})], name=_FIRST),
            Expect([Entry(config_map(data={"key": "first"}))], name=_FIRST),
            Work([config_map(data={"key": "second"})], name=_SECOND),
            Expect(
                [Entry(config_map(data={"key": "second"}), others=1, live=config_map(data={"key": "first"}))],
                name=_SECOND,
            ),
            Expect([Entry(config_map(data={"key": "first"}), others=1)], name=_FIRST),
        ],
        differs="with OCM's agent the last writer's content stays until the other's next resync",
    ),
    Case(
        "an object moves from work to work",
        [
            Work([_A, _B], name=_FIRST),
            Expect([Entry(_A), Entry(_B)], name=_FIRST),
            Work([_B], name=_FIRST),
            Work([_A], name=_SECOND),
            Expect([Entry(_B)], name=_FIRST),
            Expect([Entry(_A)], name=_SECOND),
        ],
    ),
]

# --- drift --------------------------------------------------------------------------------------------

_LATER = "OCM's agent looks again after four to six minutes; ours watches"
_EDITED = {"data": {"key": "edited"}}
_DAEMON = note(spec={"a": 1, "b": [1, 2]})


def _drift(name: str, manifest: Object, body: Object, **more: Any) -> Case:
    return Case(
        f"drift {name}",
        [
            Work([manifest]),
            Expect([Entry(manifest)]),
            Change(manifest, body),
            Expect([Entry(manifest, **more)]),
        ],
        differs=_LATER,
    )


_ROLE = obj(
    "rbac.authorization.k8s.io/v1",
    "Role",
    rules=[{"apiGroups": [""], "resources": ["pods"], "verbs": ["get"]}],
)
_DEPLOYED = obj(
    "apps/v1",
    "Deployment",
    spec={
        "replicas": 2,
        "selector": {"matchLabels": {"app": "$me"}},
        "template": {
            "metadata": {"labels": {"app": "$me"}},
            "spec": {"containers": [{"name": "main", "image": "example.com/web:1"}]},
        },
    },
)
DRIFT = [
    _drift("data", _A, {"data": {"key": "edited"}}),
    _drift(
        "data added", _A, {"data": {"more": "added"}}, live={**_A, "data": {"key": "value", "more": ABSENT}}
    ),
    _drift("data taken away", _A, {"data": None}),
    _drift("a label", config_map(labels={"a": "1"}), {"metadata": {"labels": {"a": "2"}}}),
    _drift("a label taken away", config_map(labels={"a": "1"}), {"metadata": {"labels": None}}),
    _drift("an annotation", config_map(annotations={"a": "1"}), {"metadata": {"annotations": {"a": "2"}}}),
    _drift("the owner taken away", _A, {"metadata": {"ownerReferences": None}}),
    _drift("a custom resource", _DAEMON, {"spec": {"a": 2}}),
    _drift("replicas", _DEPLOYED, {"spec": {"replicas": 5}}),
    _drift("a role", _ROLE, {"rules": []}),
    Case(
        "drift deletion",
        [Work([_A]), Expect([Entry(_A)]), Gone(_A), Expect([Entry(_A)])],
        differs=_LATER,
    ),
    Case(
        "drift deletion of one of two",
        [Work([_A, _B]), Expect([Entry(_A), Entry(_B)]), Gone(_B), Expect([Entry(_A), Entry(_B)])],
        differs=_LATER,
    ),
]
