"""Rules in CEL: the change as expressions see it, and what they come to.

An expression that has no value, or costs more than it may, refuses: nobody knows what it would have said.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from gitops_ocm.api.scalars import format_time
from gitops_ocm.desired.policy_language import LIMIT, compiled, compiled_message, variables
from gitops_ocm.errors import Location
from gitops_ocm.objects.diff import ABSENT, Difference, masked
from gitops_ocm.objects.ref import Ref
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.preview.model import Act, Effect, OnCluster, Preview, Rollout, Selection, Share
from gitops_ocm.preview.policy.case import Case, Finding

_LONGEST = 1000


def expressions(expression: str, message_expression: str | None, case: Case) -> Finding:
    """`expression`: whether it is true of the change."""
    seen = variables(_values(case))
    result = compiled(expression).run(seen, LIMIT)
    if result.error:
        return Finding(False, f"it cannot be told: {result.error}")
    if result.value is True:
        return Finding(True, "it is true")
    return Finding(False, _message(message_expression, seen))


def _message(expression: str | None, seen: Mapping[str, Any]) -> str:
    if expression is None:
        return "its expression is not true"
    result = compiled_message(expression).run(seen, LIMIT)
    if result.error or not isinstance(result.value, str):
        return f"its expression is not true (nor can its message be told: {result.error or 'it is no text'})"
    return result.value[:_LONGEST]


def _values(case: Case) -> Mapping[str, Any]:
    found = case.found
    return {
        "change": _change(found),
        "objects": [_object(effect, case) for effect in found.effects],
        "clusters": [_cluster(cluster) for cluster in found.clusters],
        "selections": [_selection(selection) for selection in found.selections],
        "rollouts": [_rollout(rollout) for rollout in found.rollouts],
        "now": format_time(found.now),
    }


def _change(found: Preview) -> Mapping[str, Any]:
    counts = Counter(effect.act for effect in found.effects)
    return {
        "base": found.base,
        "head": found.head,
        "state": found.state,
        "clusters": found.fleet,
        "created": counts[Act.CREATE],
        "changed": counts[Act.CHANGE],
        "deleted": counts[Act.DELETE],
        "moved": counts[Act.MOVE],
        "shares": [_share(share) for share in found.shares],
    }


def _share(share: Share) -> Mapping[str, Any]:
    return {
        "set": share.name,
        "touched": share.touched,
        "clusters": share.clusters,
        "atOnce": share.at_once,
    }


def _object(effect: Effect, case: Case) -> Mapping[str, Any]:
    return {
        **_identity(effect.act, effect.ref),
        **_place(effect.origin),
        "fields": [_field(field) for field in effect.fields],
        **_content("object", case.after.get(effect.ref)),
        **_content("oldObject", case.before.get(effect.ref)),
    }


def _content(name: str, item: Wanted | None) -> Mapping[str, Any]:
    """The whole object, values of Secrets masked; nothing where there is none."""
    return {name: masked(item.obj)} if item is not None else {}


def _field(field: Difference) -> Mapping[str, Any]:
    sides = (("before", field.before), ("after", field.after))
    return {"path": field.path, **{name: value for name, value in sides if value is not ABSENT}}


def _cluster(cluster: OnCluster) -> Mapping[str, Any]:
    return {
        "name": cluster.name,
        "sets": list(cluster.sets),
        "objects": [_identity(effect.act, effect.ref) for effect in cluster.effects],
    }


def _selection(found: Selection) -> Mapping[str, Any]:
    return {
        "namespace": found.ref.namespace,
        "name": found.ref.name,
        "before": list(found.before),
        "after": list(found.after),
        "gained": list(found.gained),
        "lost": list(found.lost),
    }


def _rollout(rollout: Rollout) -> Mapping[str, Any]:
    waves = [
        {"at": format_time(wave.at), "clusters": list(wave.clusters), "groups": list(wave.groups)}
        for wave in rollout.waves
    ]
    return {
        **_ref(rollout.owner),
        "strategy": rollout.strategy,
        "waves": waves,
        "waiting": list(rollout.waiting),
        **({"end": format_time(rollout.end)} if rollout.end else {}),
    }


def _identity(act: Act, ref: Ref) -> Mapping[str, Any]:
    return {"act": act.value, **_ref(ref)}


def _ref(ref: Ref) -> Mapping[str, Any]:
    return {"group": ref.group, "kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _place(where: Location) -> Mapping[str, Any]:
    return {"path": where.path, "line": where.line}
