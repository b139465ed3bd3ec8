"""Works with an executor: what the account may not do is not applied, and said."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.ref import Object
from tests.wire.agent.cases import Case
from tests.wire.agent.expected import ABSENT, Entry
from tests.wire.agent.kinds import GROUP, config, config_map, configs, gadget, note, obj
from tests.wire.agent.moves import Change, End, Ended, Expect, Gone, There, Work

_RBAC = "rbac.authorization.k8s.io"
_FAILED = "Failed to apply manifest: "
_WRITE = ("create", "update", "patch", "get", "delete")
ACCOUNT = obj("v1", "ServiceAccount")
_EXECUTOR = {
    "executor": {"subject": {"type": "ServiceAccount", "serviceAccount": {"namespace": "$ns", "name": "$me"}}}
}
_SUBJECTS = [{"kind": "ServiceAccount", "name": "$me", "namespace": "$ns"}]


def _role(*rules: Object, name: str = "$me") -> Object:
    return obj(f"{_RBAC}/v1", "Role", name, rules=list(rules))


def _rule(resource: str, *verbs: str, group: str = "", **more: Any) -> Object:
    return {"apiGroups": [group], "resources": [resource], "verbs": list(verbs), **more}


def _binding(name: str = "$me", role: str = "$me") -> Object:
    ref = {"apiGroup": _RBAC, "kind": "Role", "name": role}
    return obj(f"{_RBAC}/v1", "RoleBinding", name, roleRef=ref, subjects=_SUBJECTS)


def _wide(*rules: Object) -> list[There]:
    """Rights everywhere."""
    ref = {"apiGroup": _RBAC, "kind": "ClusterRole", "name": "$me"}
    role = obj(f"{_RBAC}/v1", "ClusterRole", "$me", None, rules=list(rules))
    bound = obj(f"{_RBAC}/v1", "ClusterRoleBinding", "$me", None, roleRef=ref, subjects=_SUBJECTS)
    return [There(ACCOUNT), There(role), There(bound)]


def _rights(*rules: Object) -> list[There]:
    """Rights in the namespace."""
    return [There(ACCOUNT), There(_role(*rules)), There(_binding())]


def _denied(manifest: Object, resource: str, why: str = "", *, namespace: str = "$ns") -> Entry:
    group = manifest["apiVersion"].rpartition("/")[0]
    what = f"{group} {resource}, {namespace} {manifest['metadata']['name']}"
    text = f"{_FAILED}not allowed to apply the resource {what}{why}, will try again in 1m0s"
    return Entry(manifest, applied=text, available="False", live=ABSENT)


_MAP, _OTHER = config_map(), config_map("$me-other")
_ALL = _rule("configmaps", *_WRITE)
_DENIED = _denied(_MAP, "configmaps")


def _lacks(name: str, *rules: Object, manifest: Object = _MAP, resource: str = "configmaps") -> Case:
    return Case(
        name,
        [
            *_rights(*rules),
            Work([manifest], _EXECUTOR),
            Expect([_denied(manifest, resource)]),
            End(),
            Ended(),
        ],
    )


_READ = configs(config("configmaps", name="$me-other", updateStrategy={"type": "ReadOnly"}))
_ORPHANED = {**_EXECUTOR, "deleteOption": {"propagationPolicy": "Orphan"}}
ASKED = [
    Case(
        "an executor that may",
        [*_rights(_ALL), Work([_MAP], _EXECUTOR), Expect([Entry(_MAP)]), End(), Ended(gone=[_MAP])],
    ),
    Case("an executor that is nobody", [Work([_MAP], _EXECUTOR), Expect([_DENIED])]),
    *(_lacks(f"without {verb}", _rule("configmaps", *(v for v in _WRITE if v != verb))) for verb in _WRITE),
    _lacks("another resource", _rule("secrets", *_WRITE)),
    _lacks("another name", _rule("configmaps", *_WRITE, resourceNames=["another"])),
    Case(
        "its own name",
        [
            *_rights(_rule("configmaps", *_WRITE, resourceNames=["$me"])),
            Work([_MAP], _EXECUTOR),
            Expect([Entry(_MAP)]),
        ],
    ),
    Case(
        "an orphan needs no delete",
        [
            *_rights(_rule("configmaps", "create", "update", "patch", "get")),
            Work([_MAP], _ORPHANED),
            Expect([Entry(_MAP, owned=False)]),
        ],
    ),
    Case(
        "a star is every verb",
        [*_rights(_rule("configmaps", "*")), Work([_MAP], _EXECUTOR), Expect([Entry(_MAP)])],
    ),
    Case(
        "one of two",
        [
            *_rights(_ALL),
            Work([note(spec={"a": 1}), _MAP], _EXECUTOR),
            Expect([_denied(note(spec={"a": 1}), "notes"), Entry(_MAP)]),
        ],
    ),
    Case(
        "a cluster-scoped object",
        [
            *_rights(_rule("gadgetry", "*", group=GROUP)),
            Work([gadget(spec={"a": 1})], _EXECUTOR),
            Expect([_denied(gadget(spec={"a": 1}), "gadgetry", namespace="")]),
        ],
    ),
    Case(
        "a cluster-scoped object, by a cluster's role",
        [
            *_wide(_rule("gadgetry", "*", group=GROUP)),
            Work([gadget(spec={"a": 1})], _EXECUTOR),
            Expect([Entry(gadget(spec={"a": 1}))]),
        ],
    ),
    Case(
        "what is only read is asked about all the same",
        [
            There(_OTHER),
            Work([_OTHER], {**_EXECUTOR, **_READ}),
            Expect([Entry(_OTHER, applied=_denied(_OTHER, "configmaps").applied, owned=False)], ledger=False),
        ],
    ),
]

_GRANT = _rule("roles", *_WRITE, group=_RBAC)
_BIND = _rule("rolebindings", *_WRITE, group=_RBAC)
_GIVEN = _role(_rule("configmaps", "get"), name="$me-given")
_MORE = _role(_rule("secrets", "get"), name="$me-given")
_GIVING = _binding("$me-giving", "$me-given")
_ESCALATES = ", error: permission escalation"
GRANTS = [
    Case(
        "a role of what it holds",
        [*_rights(_GRANT, _ALL), Work([_GIVEN], _EXECUTOR), Expect([Entry(_GIVEN)])],
    ),
    Case(
        "a role of more than it holds",
        [
            *_rights(_GRANT, _ALL),
            Work([_MORE], _EXECUTOR),
            Expect([_denied(_MORE, "roles", _ESCALATES)]),
        ],
    ),
    Case(
        "a role that is there, of more than it holds",
        [
            *_rights(_GRANT, _ALL),
            There(_GIVEN),
            Work([_MORE], _EXECUTOR),
            Expect(
                [
                    Entry(
                        _MORE,
                        applied=str(_denied(_MORE, "roles", _ESCALATES).applied),
                        live=_GIVEN,
                        owned=False,
                    )
                ],
                ledger=False,
            ),
        ],
    ),
    Case(
        "more than it holds, where it may escalate",
        [
            *_rights(_rule("roles", *_WRITE, "escalate", group=_RBAC)),
            Work([_MORE], _EXECUTOR),
            Expect([Entry(_MORE)]),
        ],
    ),
    Case(
        "a binding of what it holds",
        [
            *_rights(_BIND, _ALL),
            There(_GIVEN),
            Work([_GIVING], _EXECUTOR),
            Expect([Entry(_GIVING)]),
        ],
    ),
    Case(
        "a binding of more than it holds",
        [
            *_rights(_BIND, _ALL),
            There(_MORE),
            Work([_GIVING], _EXECUTOR),
            Expect([_denied(_GIVING, "rolebindings", _ESCALATES)]),
        ],
    ),
]

_LATER = "OCM's agent looks again after four to six minutes; ours as well when an object changes"
CHANGED = [
    Case(
        "an executor taken away",
        [
            Work([_MAP], _EXECUTOR),
            Expect([_DENIED]),
            Work([_MAP]),
            Expect([Entry(_MAP)]),
        ],
    ),
    Case(
        "an executor given later keeps what is there",
        [
            Work([_MAP]),
            Expect([Entry(_MAP)]),
            Work([config_map(data={"key": "new"})], _EXECUTOR),
            Expect([Entry(config_map(data={"key": "new"}), applied=str(_DENIED.applied), live=_MAP)]),
            End(),
            Ended(gone=[_MAP]),
        ],
    ),
    Case(
        "rights taken away keep what is there",
        [
            *_rights(_ALL),
            Work([_MAP], _EXECUTOR),
            Expect([Entry(_MAP)]),
            Gone(_binding()),
            Change(_MAP, {"metadata": {"labels": {"seen": "yes"}}}),
            Expect([Entry(_MAP, applied=str(_DENIED.applied))]),
            End(),
            Ended(gone=[_MAP]),
        ],
        differs=_LATER,
    ),
]
