"""A change of a small repository, previewed without a fleet that ran it: for tests of what a preview says."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from gitops_ocm.errors import Location
from gitops_ocm.objects.ref import Object
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.model import Preview
from gitops_ocm.preview.run import Settings, attempt
from gitops_ocm.preview.state import FleetState
from gitops_ocm.report.yaml_text import to_yaml
from gitops_ocm.testing import objects as make
from tests.preview.fleets import CATALOG, repository

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
BASE, HEAD = "b" * 40, "f" * 40
Files = dict[str, list[Object]]
Edit = Callable[[Files], None]
EU = {"requiredClusterSelector": {"labelSelector": {"matchLabels": {"region": "eu"}}}}


def small(*more: Object, **files: Sequence[Object]) -> Files:
    """Four clusters in two regions, two cluster sets of which one is bound, and a placement of each kind."""
    found: Files = {
        f"clusters/{name}.yaml": [
            make.managed_cluster(name, cluster_set=of, labels={"region": region, "tier": "gold"})
        ]
        for name, of, region in (("c1", "a", "eu"), ("c2", "a", "us"), ("c3", "a", "eu"), ("c4", "b", "eu"))
    }
    found["hub/fleet.yaml"] = [
        make.namespace("fleet"),
        make.cluster_set("a"),
        make.cluster_set("b"),
        make.binding("a", "fleet"),
        make.placement("all", "fleet"),
        make.placement("eu", "fleet", predicates=[EU]),
        make.placement("one", "fleet", numberOfClusters=1),
        *more,
    ]
    return found | {name.replace("_", "/") + ".yaml": list(objects) for name, objects in files.items()}


def named(files: Files, kind: str, name: str) -> Any:
    """An object of the files, to be changed."""
    (found,) = [
        obj
        for objects in files.values()
        for obj in objects
        if obj["kind"] == kind and obj["metadata"]["name"] == name
    ]
    return found


def written_at(where: Location, before: Files, after: Files) -> str:
    """The line that a place names: `clusters/c2.yaml: region: eu`; `""` for no place."""
    if not where.path:
        return ""
    objects = (after if where.path in after and where.commit != BASE else before)[where.path]
    text = "---\n".join(map(to_yaml, objects)).splitlines()
    return f"{where.path}: {text[where.line - 1].strip()}"


def edited(files: Files, edit: Edit) -> Files:
    """The files after an edit."""
    after = copy.deepcopy(files)
    edit(after)
    return after


def previewed(
    before: Files, edit: Edit, *, assumed: Assumptions | None = None, state: FleetState | None = None
) -> Preview:
    """What the edit comes to."""
    base, head = repository(before, BASE), repository(edited(before, edit), HEAD)
    state = state if state is not None else FleetState()
    settings = Settings(assumed=assumed or Assumptions())
    tried = attempt(base, head, state, catalog=CATALOG, now=NOW, settings=settings)
    return preview_of(tried, base, head, state, NOW)


def warned_at(found: Preview, before: Files, after: Files) -> list[tuple[str, str]]:
    """The codes of a preview's warnings, and the lines that they name."""
    return [(w.code, written_at(w.where, before, after)) for w in found.warnings]
