"""How a kind is named and served: the two words every other package speaks of kinds with.

Plain values without pydantic, so that naming a resource costs no import. `api.scheme` is the table
of the kinds we define; `objects.ref` adds the identity of single objects and hands both of these
on under its own name.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple


class Kind(NamedTuple):
    """A kind without a version: `Kind("apps", "Deployment")`; the core group is `""`."""

    group: str
    kind: str

    def __str__(self) -> str:
        return f"{self.kind}.{self.group}" if self.group else self.kind


@dataclass(frozen=True, slots=True)
class Resource:
    """How one kind is served at one version: what a discovery document says of it.

    `plural` is the REST name (`manifestworks`), `subresources` those served (`status`, `scale`),
    `verbs` what may be asked of it.
    """

    group: str
    version: str
    kind: str
    plural: str
    namespaced: bool
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    subresources: frozenset[str] = frozenset()
    verbs: frozenset[str] = frozenset(
        {"get", "list", "watch", "create", "update", "patch", "delete", "deletecollection"}
    )

    @property
    def of(self) -> Kind:
        """The kind this resource serves."""
        return Kind(self.group, self.kind)

    @property
    def api_version(self) -> str:
        """`apps/v1`, or `v1` for the core group."""
        return f"{self.group}/{self.version}" if self.group else self.version

    def path(self, namespace: str = "", name: str = "", subresource: str = "") -> str:
        """The REST path, `/apis/apps/v1/namespaces/shop/deployments/web/status`.

        Without `namespace` a namespaced resource's path spans all namespaces. Segments are not
        escaped: names come from objects, which validation has held to URL-safe characters.
        """
        root = f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"
        parts = [root]
        if self.namespaced and namespace:
            parts += ["namespaces", namespace]
        parts.append(self.plural)
        if name:
            parts.append(name)
        if subresource:
            parts.append(subresource)
        return "/".join(parts)
