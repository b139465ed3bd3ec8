"""What an APIService must be: the name of a group's version, and who serves it."""

from __future__ import annotations

from base64 import b64decode

from gitops_ocm.objects.names import dns1035_problems, subdomain_problems
from gitops_ocm.objects.rules.faults import Faults, Value, each_invalid, invalid, required
from gitops_ocm.objects.rules.formats import port_problems

_MOST_GROUP, _MOST_VERSION = 20000, 1000


def api_service(obj: Value, old: Value | None) -> Faults:
    """An APIService."""
    spec, name = obj.get("spec") or {}, (obj.get("metadata") or {}).get("name") or ""
    group, version = spec.get("group") or "", spec.get("version") or ""
    wanted = f"{version}.{group}"
    if name != wanted:
        yield invalid("metadata.name", name, f'must be `spec.version+"."+spec.group`: "{wanted}"')
    if group:
        yield from each_invalid("spec.group", group, subdomain_problems(group))
    yield from each_invalid("spec.version", version, dns1035_problems(version))
    for field, most in (("groupPriorityMinimum", _MOST_GROUP), ("versionPriority", _MOST_VERSION)):
        found = spec.get(field) or 0
        if not 0 < found <= most:
            yield invalid(f"spec.{field}", found, f"must be positive and less than {most}")
    service = spec.get("service")
    if service is None:
        if spec.get("caBundle"):
            why = "local APIServices may not have a caBundle"
            yield invalid("spec.caBundle", f"{len(b64decode(spec['caBundle']))} bytes", why)
        if spec.get("insecureSkipTLSVerify"):
            why = "local APIServices may not have insecureSkipTLSVerify"
            yield invalid("spec.insecureSkipTLSVerify", True, why)
        return
    for field in ("namespace", "name"):
        if not service.get(field):
            yield required(f"spec.service.{field}")
    port = service.get("port")
    if port is not None and (problems := port_problems(port)):
        yield invalid("spec.service.port", port, f"port is not valid: {', '.join(problems)}")
    if spec.get("insecureSkipTLSVerify") and spec.get("caBundle"):
        yield invalid("spec.insecureSkipTLSVerify", True, "may not be true if caBundle is present")
