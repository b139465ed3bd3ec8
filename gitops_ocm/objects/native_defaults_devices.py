"""Defaults of the kinds about devices and about the priorities of requests; part of `native_defaults`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

_FLOW, _DEVICES = "io.k8s.api.flowcontrol.v1.", "io.k8s.api.resource.v1."
EXACT = "ExactCount"

STATIC: Mapping[str, Mapping[str, Any]] = {
    f"{_FLOW}FlowSchemaSpec": {"matchingPrecedence": 1000},
    f"{_FLOW}ExemptPriorityLevelConfiguration": {"nominalConcurrencyShares": 0, "lendablePercent": 0},
    f"{_FLOW}LimitedPriorityLevelConfiguration": {"nominalConcurrencyShares": 30, "lendablePercent": 0},
    f"{_FLOW}QueuingConfiguration": {"queues": 64, "handSize": 8, "queueLengthLimit": 50},
    f"{_DEVICES}ExactDeviceRequest": {"allocationMode": EXACT},
    f"{_DEVICES}DeviceSubRequest": {"allocationMode": EXACT},
}


def counted(value: dict[str, Any]) -> None:
    """A request for a number of devices that names none is for one."""
    if value.get("allocationMode") == EXACT and not value.get("count"):
        value["count"] = 1
