"""How a container is asked whether it is well, and what is done when it starts and ends."""

from __future__ import annotations

from typing import Any

from gitops_ocm.objects.rules.faults import (
    Faults,
    Value,
    each_invalid,
    forbidden,
    invalid,
    not_negative,
    required,
    unsupported,
)
from gitops_ocm.objects.rules.formats import header_problems, port_or_name

_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc", "sleep")
_COUNTS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def all_of(path: str, container: Value, grace: int | None) -> Faults:
    """The hooks and probes of a container."""
    hooks = container.get("lifecycle") or {}
    for name in ("postStart", "preStop"):
        if hooks.get(name) is not None:
            yield from _handler(f"{path}.lifecycle.{name}", hooks[name], grace)
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if container.get(name) is not None:
            yield from _probe(f"{path}.{name}", name, container[name], grace)


def _probe(path: str, name: str, probe: Value, grace: int | None) -> Faults:
    yield from _handler(path, probe, grace)
    for count in _COUNTS:
        yield from not_negative(f"{path}.{count}", probe.get(count))
    seconds = probe.get("terminationGracePeriodSeconds")
    if seconds is not None and seconds <= 0:
        yield invalid(f"{path}.terminationGracePeriodSeconds", seconds, "must be greater than 0")
    if name != "readinessProbe":
        successes = probe.get("successThreshold") or 0
        if successes != 1:
            yield invalid(f"{path}.successThreshold", successes, "must be 1")
    elif seconds is not None:
        why = "must not be set for readinessProbes"
        yield invalid(f"{path}.terminationGracePeriodSeconds", seconds, why)


def _handler(path: str, value: Value, grace: int | None) -> Faults:
    used = [name for name in _HANDLERS if value.get(name) is not None]
    for first, name in zip((True, *[False] * len(used)), used, strict=False):
        if not first:
            yield forbidden(f"{path}.{name}", "may not specify more than 1 handler type")
        else:
            yield from _action(f"{path}.{name}", name, value[name], grace)
    if not used:
        yield required(path, "must specify a handler type")


def _action(path: str, name: str, action: Value, grace: int | None) -> Faults:
    if name == "exec":
        if not action.get("command"):
            yield required(f"{path}.command")
    elif name == "httpGet":
        yield from _http(path, action)
    elif name == "sleep":
        yield from _sleep(path, action.get("seconds") or 0, grace)
    else:
        yield from port_or_name(f"{path}.port", action.get("port"))


def _http(path: str, action: Value) -> Faults:
    if not action.get("path"):
        yield required(f"{path}.path")
    yield from port_or_name(f"{path}.port", action.get("port"))
    if action.get("scheme") not in ("HTTP", "HTTPS"):
        yield unsupported(f"{path}.scheme", action.get("scheme") or "", ("HTTP", "HTTPS"))
    for header in action.get("httpHeaders") or ():
        name = header.get("name") or ""
        yield from each_invalid(f"{path}.httpHeaders", name, header_problems(name))


def _sleep(path: str, seconds: Any, grace: int | None) -> Faults:
    if grace is not None and not 0 <= seconds <= grace:
        why = f"must be non-negative and less than terminationGracePeriodSeconds ({grace})"
        yield invalid(path, seconds, why)
