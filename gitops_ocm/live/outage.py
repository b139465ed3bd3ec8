"""An API server that is away, told once and not once for each watch."""

from __future__ import annotations

from gitops_ocm.decide.contract import Side
from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.objects.ref import Kind
from gitops_ocm.runtime.log import get_logger

_log = get_logger("watch")


class Outage:
    """Which watches of one side have lost their server."""

    def __init__(self, side: Side) -> None:
        self._side = side
        self._away: set[Kind] = set()

    def lost(self, kind: Kind, error: Unreachable) -> None:
        """The watch of `kind` cannot reach the server."""
        if not self._away:
            _log.warning("API server unreachable, watches wait", side=self._side.value, error=error)
        self._away.add(kind)

    def back(self, kind: Kind) -> None:
        """The watch of `kind` goes on, or is no longer wanted."""
        if kind in self._away:
            self._away.discard(kind)
            if not self._away:
                _log.info("API server is back", side=self._side.value)
