"""An API server that is away, told once and not once for each watch of each cache in a process."""

from __future__ import annotations

from weakref import WeakValueDictionary

from gitops_ocm.decide.contract import Side
from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.objects.ref import Kind
from gitops_ocm.runtime.log import get_logger

_log = get_logger("watch")


class _Server:
    """The watches that have lost one server: whose, and of which kind."""

    def __init__(self) -> None:
        self.lost: set[tuple[int, Kind]] = set()


_SERVERS: WeakValueDictionary[tuple[Side, str], _Server] = WeakValueDictionary()


class Outage:
    """Which watches of one cache have lost their server."""

    def __init__(self, side: Side, server: str) -> None:
        self._side = side
        self._server = _SERVERS.setdefault((side, server), _Server())

    def lost(self, kind: Kind, error: Unreachable) -> None:
        """The watch of `kind` cannot reach the server."""
        if not self._server.lost:
            _log.warning("API server unreachable, watches wait", side=self._side.value, error=error)
        self._server.lost.add((id(self), kind))

    def back(self, kind: Kind) -> None:
        """The watch of `kind` goes on, or is no longer wanted."""
        if (id(self), kind) in self._server.lost:
            self._server.lost.discard((id(self), kind))
            if not self._server.lost:
                _log.info("API server is back", side=self._side.value)

    def close(self) -> None:
        """The cache ends, and its watches with it."""
        self._server.lost = {(cache, kind) for cache, kind in self._server.lost if cache != id(self)}
