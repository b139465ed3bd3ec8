"""One reconcile at a time, over a hub whose objects a test simply states."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

import pytest

from gitops_ocm.api.crd import ConversionWebhook, crds
from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.contract import MergePatch, Outcome, Result, Side
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.simulate.world import World

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)


class Hub:
    """A world, and the rows of add-ons to be asked about it one by one."""

    def __init__(self, catalog: Catalog, objects: Iterable[Object]) -> None:
        self.world = World(catalog)
        for obj in objects:
            self.world.put(obj)
        self.rows = {row.name: row for row in addon_rows(HubSettings())}

    def ask(self, row: str, key: Ref) -> Outcome:
        """What a row wants done about a key; nothing is done."""
        indexes = {index.name: index for each in self.rows.values() for index in each.indexes}
        view = WorldView({Side.HUB: self.world}, indexes)
        return self.rows[row].reconcile(view, key, NOW)

    def run(self, row: str, key: Ref) -> list[Result]:
        """Ask, and do it."""
        manager = self.rows[row].field_manager or "gitops-ocm"
        return [self.world.write(write, manager=manager, now=NOW) for write in self.ask(row, key).actions]

    def patch(self, ref: Ref, body: Object) -> None:
        """What a person changes."""
        result = self.world.write(MergePatch(ref, body), manager="kubectl", now=NOW)
        if result.error is not None:
            raise result.error


@pytest.fixture(scope="session")
def plain_catalog() -> Catalog:
    """What a hub without a conversion webhook serves: add-ons at v1alpha1 alone."""
    return load_catalog()


@pytest.fixture(scope="session")
def converting_catalog(plain_catalog: Catalog) -> Catalog:
    """What a hub with OCM's conversion webhook serves: add-ons at both versions."""
    catalog = plain_catalog
    for definition in crds(conversion_webhook=ConversionWebhook()):
        catalog = catalog.with_crd(definition)
    return catalog


@pytest.fixture
def hub(plain_catalog: Catalog) -> Callable[..., Hub]:
    """Makes a hub of the objects stated."""
    return lambda *objects: Hub(plain_catalog, objects)


@pytest.fixture
def converting_hub(converting_catalog: Catalog) -> Callable[..., Hub]:
    """Makes a hub that serves add-ons at v1beta1 too."""
    return lambda *objects: Hub(converting_catalog, objects)
