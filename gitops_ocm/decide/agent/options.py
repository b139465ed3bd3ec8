"""What a ManifestWork says about one of its manifests: how to update it, what to report, what to orphan."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from gitops_ocm.decide.agent.identity import Identity, identity_of

UPDATE, CREATE_ONLY, SERVER_SIDE, READ_ONLY = "Update", "CreateOnly", "ServerSideApply", "ReadOnly"


@dataclass(frozen=True)
class Options:
    """The options in force for one manifest."""

    strategy: str = UPDATE
    force: bool = False
    field_manager: str = "work-agent"
    ignore_fields: Sequence[Mapping[str, Any]] = ()
    feedback: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    conditions: Sequence[Mapping[str, Any]] = field(default_factory=tuple)


def options_for(work: Mapping[str, Any], identity: Identity) -> Options:
    """Each attribute is taken from the first entry that matches and has it."""
    entries = (work.get("spec") or {}).get("manifestConfigs") or ()
    matching = [e for e in entries if _matches(e.get("resourceIdentifier") or {}, identity)]
    update: Mapping[str, Any] = _first(matching, "updateStrategy") or {}
    server_side = update.get("serverSideApply") or {}
    return Options(
        strategy=update.get("type") or UPDATE,
        force=bool(server_side.get("force")),
        field_manager=server_side.get("fieldManager") or "work-agent",
        ignore_fields=server_side.get("ignoreFields") or (),
        feedback=_first(matching, "feedbackRules") or (),
        conditions=_first(matching, "conditionRules") or (),
    )


def _first(entries: Iterable[Mapping[str, Any]], attribute: str) -> Any:
    return next((e[attribute] for e in entries if e.get(attribute)), None)


def _matches(rule: Mapping[str, Any], identity: Identity) -> bool:
    group, resource, namespace, name = identity
    return (
        (rule.get("group") or "") == group
        and rule.get("resource") == resource
        and _wildcard(rule.get("namespace") or "").fullmatch(namespace) is not None
        and _wildcard(rule.get("name") or "").fullmatch(name) is not None
    )


@lru_cache(maxsize=1024)
def _wildcard(pattern: str) -> re.Pattern[str]:
    """`*` stands for any run of characters; everything else for itself."""
    return re.compile(".*".join(map(re.escape, pattern.split("*"))), re.DOTALL)


def orphans(work: Mapping[str, Any], identity: Identity) -> bool:
    """Whether an applied object is to be left behind, so that the agent does not own it."""
    option = (work.get("spec") or {}).get("deleteOption") or {}
    match option.get("propagationPolicy"):
        case "Orphan":
            return True
        case "SelectivelyOrphan":
            rules = (option.get("selectivelyOrphans") or {}).get("orphaningRules") or ()
            return any(identity_of(rule) == identity for rule in rules)
    return False
