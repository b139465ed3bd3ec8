"""Somebody's way to an API server, and a record of what they asked for and were refused.

For tests of rights: whoever has exactly what they need is never answered 403.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Resource

REQUESTS = frozenset({"get", "list", "create", "update", "patch", "delete"})


@dataclass
class Witness:
    """A `Cluster`: each request to `cluster` is noted, as `list leases metadata.name=x`, and passed on."""

    cluster: Cluster
    asked: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        plain = getattr(self.cluster, name)
        if name not in REQUESTS:
            return plain

        async def request(resource: Resource, *args: Any, **options: Any) -> Any:
            asked = self._note(name, resource, options)
            try:
                return await plain(resource, *args, **options)
            except ApiError as error:
                self._failed(asked, error)
                raise

        return request

    async def watch(self, resource: Resource, *args: Any, **options: Any) -> AsyncIterator[Any]:
        """Noted once, not for each event."""
        asked = self._note("watch", resource, options)
        events: Any = self.cluster.watch(resource, *args, **options)
        try:
            async for event in events:
                yield event
        except ApiError as error:
            self._failed(asked, error)
            raise
        finally:
            await events.aclose()

    def _note(self, verb: str, resource: Resource, options: dict[str, Any]) -> str:
        plural = f"{resource.plural}/{sub}" if (sub := options.get("subresource")) else resource.plural
        self.asked.append(f"{verb} {plural} {options.get('field_selector', '')}".strip())
        return self.asked[-1]

    def _failed(self, asked: str, error: ApiError) -> None:
        if error.http_code == 403:
            self.refused.append(f"{asked}: {error.message}")
