"""Printer columns of runtime classes, of devices and claims to them, and of the priorities of requests.

Part of `tables_native`, which has the columns of all built-in kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from gitops_ocm.apiserver.tables import AGE, NAME, Cell, Column
from gitops_ocm.apiserver.tables_core import NONE, at, text
from gitops_ocm.apiserver.tables_workloads import spec, status
from gitops_ocm.objects.paths import get
from gitops_ocm.objects.ref import Kind, Object


def _claim_state(obj: Object, now: datetime) -> str:
    leaving = bool(obj["metadata"].get("deletionTimestamp"))
    states = ["deleted"] * leaving
    if not status(obj).get("allocation"):
        return ",".join(states or ["pending"])
    return ",".join([*states, "allocated", *(["reserved"] if status(obj).get("reservedFor") else [])])


def _dangling(obj: Object, now: datetime) -> str:
    """Whether a flow schema names no priority level that there is, as somebody has found."""
    for condition in status(obj).get("conditions") or ():
        if condition.get("type") == "Dangling":
            return str(condition.get("status", ""))
    return "?"


def _limited(*path: str) -> Cell:
    """A number that only a limited priority level has, and some only where it queues."""

    def cell(obj: Object, now: datetime) -> Any:
        owner = get(obj, "spec", "limited", *path[:-1])
        return owner.get(path[-1], 0) if isinstance(owner, dict) else NONE

    return cell


COLUMNS: Mapping[Kind, tuple[Column, ...]] = {
    Kind("node.k8s.io", "RuntimeClass"): (NAME, text("Handler", "handler"), AGE),
    Kind("resource.k8s.io", "DeviceClass"): (NAME, AGE),
    Kind("resource.k8s.io", "ResourceClaim"): (NAME, Column("State", _claim_state), AGE),
    Kind("resource.k8s.io", "ResourceClaimTemplate"): (NAME, AGE),
    Kind("resource.k8s.io", "ResourceSlice"): (
        NAME,
        text("Node", "spec", "nodeName"),
        text("Driver", "spec", "driver"),
        text("Pool", "spec", "pool", "name"),
        AGE,
    ),
    Kind("flowcontrol.apiserver.k8s.io", "FlowSchema"): (
        NAME,
        text("PriorityLevel", "spec", "priorityLevelConfiguration", "name"),
        Column("MatchingPrecedence", lambda obj, now: spec(obj).get("matchingPrecedence", 0)),
        Column("DistinguisherMethod", at("spec", "distinguisherMethod", "type", default=NONE)),
        AGE,
        Column("MissingPL", _dangling),
    ),
    Kind("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration"): (
        NAME,
        text("Type", "spec", "type"),
        Column("NominalConcurrencyShares", _limited("nominalConcurrencyShares")),
        Column("Queues", _limited("limitResponse", "queuing", "queues")),
        Column("HandSize", _limited("limitResponse", "queuing", "handSize")),
        Column("QueueLengthLimit", _limited("limitResponse", "queuing", "queueLengthLimit")),
        AGE,
    ),
}
