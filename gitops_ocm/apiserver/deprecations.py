"""Which built-in kinds a server warns of whenever they are used."""

from __future__ import annotations

from gitops_ocm.objects.catalog import Served

_DEPRECATED = {
    ("v1", "ComponentStatus"): ("v1.19", ""),
    ("v1", "Endpoints"): ("v1.33", "discovery.k8s.io/v1 EndpointSlice"),
}


def deprecations(served: Served) -> tuple[str, ...]:
    """What to warn a client of that asks for this kind."""
    resource = served.resource
    if served.deprecated:
        return (served.deprecated,)
    found = _DEPRECATED.get((resource.api_version, resource.kind))
    if found is None:
        return ()
    since, successor = found
    instead = f"; use {successor}" if successor else ""
    return (f"{resource.api_version} {resource.kind} is deprecated in {since}+{instead}",)
