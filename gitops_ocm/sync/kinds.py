"""Which kinds a commit may use: those the hub serves, as far as one may look, and those of Kubernetes."""

from __future__ import annotations

from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.kube.discovery import Mapper
from gitops_ocm.objects.catalog import Catalog, Served
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.served import CRDS
from gitops_ocm.runtime.clock import Clock

MIN_AGE = 5.0
"""Seconds between two looks at the hub's definitions."""


class HubKinds:
    """A catalog that learns the hub's own kinds: at the first use, and when a commit names an unknown one."""

    def __init__(self, cluster: Cluster, base: Catalog, *, mapper: Mapper, clock: Clock) -> None:
        self._cluster = cluster
        self._mapper = mapper
        self._base = base
        self._clock = clock
        self._catalog: Catalog | None = None
        self._read_at = 0.0

    @property
    def known(self) -> Catalog:
        """What we know by ourselves, whatever this hub serves: for what is tried in memory."""
        return self._base

    async def catalog(self) -> Catalog:
        """What is known now."""
        if self._catalog is None:
            await self.refresh()
        return self._catalog or self._base

    async def refresh(self) -> bool:
        """Read the hub's definitions again, unless that was done just now; says whether it was."""
        now = self._clock.monotonic()
        if self._catalog is not None and now - self._read_at < MIN_AGE:
            return False
        self._read_at = now
        catalog = served = await self._served()
        try:
            crds = await self._cluster.list(CRDS)
        except ApiError as error:
            if error.http_code not in (403, 404):
                raise
            # Not allowed to look: what we know by ourselves has to do.
            self._catalog = catalog
            return True
        for crd in crds.items:
            catalog = catalog.with_crd(crd)
        # An embedded hub converts by itself, and serves a version that its definition does not name.
        beside = (one for one in served.entries() if one.custom and not catalog.served(*_at(one)))
        self._catalog = catalog.with_served(beside)
        return True

    async def _served(self) -> Catalog:
        """What we know by ourselves, without the custom kinds that this hub does not serve."""
        await self._mapper.refresh()
        return Catalog(
            one for one in self._base.entries() if not one.custom or self._mapper.known_for(*_at(one))
        )


def _at(served: Served) -> tuple[str, str]:
    return served.resource.api_version, served.resource.kind
