"""An agent that may do little, as by default: what it may not touch holds up nothing else, and is said.

It may do anything with ConfigMaps, look at Widgets, write Gadgets without looking at them, and has nothing to
do with Notes; nor with Secrets, until one case gives it the right to.
"""

from __future__ import annotations

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.cases_apply import failed
from tests.wire.agent.expected import ABSENT, Entry
from tests.wire.agent.kinds import GROUP, config, config_map, configs, gadget, note, obj, widget
from tests.wire.agent.moves import End, Ended, Expect, There, Work

NARROW = "wire-narrow"
_RBAC = "rbac.authorization.k8s.io"


def _role(name: str, rules: list[Object]) -> tuple[Object, Object]:
    ref = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": name}
    subjects = [{"apiGroup": _RBAC, "kind": "User", "name": NARROW}]
    return (
        obj(f"{_RBAC}/v1", "ClusterRole", name, None, rules=rules),
        obj(f"{_RBAC}/v1", "ClusterRoleBinding", name, None, roleRef=ref, subjects=subjects),
    )


def _rule(group: str, resource: str, *verbs: str) -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs)}


def narrow_rights() -> list[Object]:
    """The roles of who may do little; beside the work agent's own rights."""
    rules = [
        _rule("work.open-cluster-management.io", "*", "*"),
        _rule("apiextensions.k8s.io", "customresourcedefinitions", "get", "list", "watch", "create", "patch"),
        _rule("authorization.k8s.io", "subjectaccessreviews", "create"),
        _rule("", "configmaps", "*"),
        _rule(GROUP, "widgets", "get", "list", "watch"),
        _rule(GROUP, "gadgetry", "create", "update", "patch"),
    ]
    return list(_role(NARROW, rules))


_A = config_map()
_HIDDEN = note(spec={"a": 1})
_FORBIDDEN = failed('notes.wire.example.com "[^"]*" is forbidden')
_UNSEEN = Entry(_HIDDEN, applied=_FORBIDDEN, available="Hidden", live=ABSENT)
_SECRET = obj("v1", "Secret", data={"a": "Yg=="})
_UNSEEN_SECRET = Entry(
    _SECRET, applied=failed('secrets "[^"]*" is forbidden'), available="Hidden", live=ABSENT
)
_LATER = _role("$me", [_rule("", "secrets", "*")])

CASES = [
    Case(
        "what may not be looked at",
        [Work([_HIDDEN, _A]), Expect([_UNSEEN, Entry(_A)], ledger=False), End(), Ended(gone=[_A, _HIDDEN])],
    ),
    Case(
        "it is left out",
        [
            Work([_HIDDEN, _A]),
            Expect([_UNSEEN, Entry(_A)], ledger=False),
            Work([_A]),
            Expect([Entry(_A)]),
        ],
    ),
    Case(
        "what may not be made",
        [
            Work([widget(), _A]),
            Expect(
                [
                    Entry(widget(), applied=failed("cannot create resource"), available="False", live=ABSENT),
                    Entry(_A),
                ]
            ),
        ],
    ),
    Case(
        "what may not be changed",
        [
            There(widget(spec={"size": 1})),
            Work([widget(spec={"size": 2})]),
            Expect(
                [
                    Entry(
                        widget(spec={"size": 2}),
                        applied=failed("cannot (update|patch) resource"),
                        live=widget(spec={"size": 1}),
                        owned=False,
                    )
                ],
                ledger=False,
            ),
        ],
    ),
    Case(
        "read only, and it may not be looked at",
        [
            Work(
                [_HIDDEN],
                configs(config("notes", group=GROUP, updateStrategy={"type": "ReadOnly"})),
            ),
            Expect([Entry(_HIDDEN, available="Hidden", live=ABSENT)], ledger=False),
        ],
    ),
    Case(
        "applied by the server, unseen",
        [
            Work(
                [gadget(spec={"a": 1})],
                configs(
                    config("gadgetry", group=GROUP, namespace="", updateStrategy={"type": "ServerSideApply"})
                ),
            ),
            Expect([Entry(gadget(spec={"a": 1}), available="Hidden")], ledger=False),
        ],
    ),
    Case(
        "rights that come later",
        [
            Work([_SECRET, _A]),
            Expect([_UNSEEN_SECRET, Entry(_A)], ledger=False),
            *map(There, _LATER),
            Expect([Entry(_SECRET), Entry(_A)]),
            End(),
            Ended(gone=[_SECRET, _A]),
        ],
    ),
]
