"""One thing an identity may or may not do to resources, as an access review asks it.

Source: ResourceAttributes of authorization.k8s.io/v1.
"""

from __future__ import annotations

from typing import NamedTuple


class Right(NamedTuple):
    """A verb on a resource. Empty `namespace`: in all of them; empty `name`: whatever its name."""

    verb: str
    group: str
    resource: str
    subresource: str = ""
    namespace: str = ""
    name: str = ""

    def attributes(self) -> dict[str, str]:
        """`spec.resourceAttributes` of a review."""
        return {key: value for key, value in self._asdict().items() if value}

    def __str__(self) -> str:
        what = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {what}{f' in {self.namespace}' if self.namespace else ''}"
