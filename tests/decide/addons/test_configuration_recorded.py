"""Configuration and its rollout, held to what OCM's add-on manager made of the same random fleets.

The record was made on a real control plane (`configuration_recorder`). What works there are, and what their
agents say, is put in from the record; everything else is ours, rolling out exactly as OCM (`rollout_compat`).
"""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from gitops_ocm.api.crd import ConversionWebhook, crds
from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.addons.references import desired_in
from gitops_ocm.decide.contract import Create, Delete, MergePatch
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANAGEMENT_ADDON, MANIFEST_WORK
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import name_of, namespace_of
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ref import Object, Ref, ref_of, split_api_version
from gitops_ocm.runtime.catalog import load_catalog
from gitops_ocm.simulate.run import Simulation
from gitops_ocm.simulate.world import World
from gitops_ocm.testing import objects as make
from gitops_ocm.testing.simulated import START
from tests.decide.addons.configuration_recorder import timeless
from tests.decide.addons.configuration_scenes import Phase, Scene

RECORD = Path(__file__).parent / "recorded_configuration.json.gz"
OURS = {"addon-install", "addon-metadata", "addon-configuration", "addon-progressing"}
SEEN = ("Configured", "Progressing")
SCENES = json.loads(gzip.decompress(RECORD.read_bytes()))["scenes"]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    """Add-ons at v1beta1 alone, as on the hub of the record."""
    found = load_catalog()
    for definition in crds(conversion_webhook=ConversionWebhook()):
        found = found.with_crd(definition)
    return found


class Replay:
    """Our rows in memory, and the rest of the hub as the record has it."""

    def __init__(self, catalog: Catalog) -> None:
        settings = HubSettings(rollout_compat=True)
        rows = [row for row in addon_rows(settings) if row.name in OURS]
        self.simulation = Simulation(World(catalog), rows, now=START)

    @property
    def hub(self) -> World:
        """The hub's objects."""
        return self.simulation.hub

    def play(self, phase: Phase, recorded: Object) -> Object:
        """What people write, then what other controllers and agents made of it; then what ours say."""
        for obj in phase.deleted:
            self.simulation.act(Delete(ref_of(obj)))
        for obj in phase.written:
            self._write(obj)
        self.simulation.settle()
        before = None
        while before != (before := self._told()):
            self._others(recorded)
            self.simulation.settle()
        return before

    def _write(self, obj: Object) -> None:
        ref = ref_of(obj)
        held, version = self.hub.get(ref), split_api_version(obj["apiVersion"])[1]
        if held is None:
            done = self.simulation.act(Create({k: v for k, v in obj.items() if k != "status"}))
        else:
            spec = {**dict.fromkeys(held.get("spec") or {}), **(obj.get("spec") or {})}
            done = self.simulation.act(MergePatch(ref, {"spec": spec}, version=version))
        if "status" in obj:
            done += self.simulation.act(MergePatch(ref, {"status": obj["status"]}, subresource="status"))
        assert [result.error for result in done if result.error] == []

    def _others(self, recorded: Object) -> None:
        for work in self.hub.list(MANIFEST_WORK):
            if f"{MANIFEST_WORK.kind} {namespace_of(work)}/{name_of(work)}" not in recorded:
                self.simulation.act(Delete(ref_of(work)))
        for title, told in recorded.items():
            kind, _, place = title.partition(" ")
            namespace, _, name = place.partition("/")
            if kind == MANIFEST_WORK.kind:
                self._work(namespace, name, told)
            elif kind == CLUSTER_ADDON.kind and self.hub.get(Ref(*CLUSTER_ADDON, namespace, name)):
                self._registered(Ref(*CLUSTER_ADDON, namespace, name), told)

    def _work(self, namespace: str, name: str, told: Object) -> None:
        """A work as it was on the other hub, up to its generation and who has seen that."""
        ref = Ref(*MANIFEST_WORK, namespace, name)
        if self.hub.get(ref) is None:
            made = make.manifest_work(name, namespace, [make.config_map("x")])
            assert self.simulation.act(Create(made))[0].error is None
        meta = {k: told["metadata"].get(k) for k in ("labels", "annotations")}
        if not covers(meta, (self.hub.get(ref) or {})["metadata"]):
            self.simulation.act(MergePatch(ref, {"metadata": meta}))
        held = self.hub.get(ref) or {}
        generation = held["metadata"]["generation"]
        behind = told["metadata"]["generation"] - generation
        stated = [
            {**c, "observedGeneration": c.get("observedGeneration", 0) - behind, "lastTransitionTime": _AT}
            for c in told["status"].get("conditions") or ()
        ]
        if stated != (held.get("status") or {}).get("conditions", []):
            self.simulation.act(MergePatch(ref, {"status": {"conditions": stated}}, subresource="status"))

    def _registered(self, ref: Ref, told: Object) -> None:
        """What the add-on's own manager says in its status."""
        held = self.hub.get(ref) or {}
        others = [
            {**c, "lastTransitionTime": _AT} for c in told.get("conditions") or () if c["type"] not in SEEN
        ]
        ours = [c for c in (held.get("status") or {}).get("conditions") or () if c["type"] in SEEN]
        status = {"supportedConfigs": told.get("supportedConfigs"), "conditions": [*ours, *others]}
        if not covers({k: v for k, v in status.items() if v is not None}, held.get("status") or {}):
            self.simulation.act(MergePatch(ref, {"status": status}, subresource="status", version="v1beta1"))

    def _told(self) -> Object:
        found: Object = {}
        for kind in (MANAGEMENT_ADDON, CLUSTER_ADDON):
            for obj in self.hub.list(kind):
                meta = obj["metadata"]
                found[f"{kind.kind} {meta.get('namespace', '')}/{meta['name']}"] = timeless(
                    obj.get("status") or {}
                )
        return found


_AT = "2026-01-01T00:00:00Z"


def compared(snapshot: Object) -> Object:
    """Of a snapshot what is ours to say."""
    return {
        title: _of_addon(told) if title.startswith(CLUSTER_ADDON.kind) else _of_cma(told)
        for title, told in snapshot.items()
        if not title.startswith(MANIFEST_WORK.kind)
    }


def _of_addon(told: Any) -> Object:
    """Of several configurations of one kind the order is left out: that is a matter of history.

    Where a placement is added, OCM's manager gives its clusters the defaults until the add-on's status has
    caught up, and what is the default then stays in front.
    """
    conditions = {c["type"]: c for c in told.get("conditions") or () if c["type"] in SEEN}
    references = sorted(told.get("configReferences") or (), key=lambda each: desired_in(each) or ())
    return {"references": references, **conditions}


def _of_cma(told: Any) -> Object:
    entries = [
        {**p, "conditions": [c for c in p.get("conditions") or () if c["type"] in SEEN]}
        for p in told.get("installProgressions") or ()
    ]
    return {"defaults": told.get("defaultConfigReferences") or [], "progressions": entries}


PLAYED = [
    pytest.param(scene, id=f"fleet {scene['seed']}", marks=[pytest.mark.slow] if scene["seed"] else [])
    for scene in SCENES
]


@pytest.mark.parametrize("scene", PLAYED)
def test_ours_says_what_ocms_manager_said(catalog: Catalog, scene: Object) -> None:
    """Every phase of a fleet: the same add-ons, references, hashes, progress and conditions."""
    replay = Replay(catalog)
    for phase, recorded in zip(Scene(scene["seed"]).phases, scene["phases"], strict=True):
        assert compared(replay.play(phase, recorded)) == compared(recorded)
