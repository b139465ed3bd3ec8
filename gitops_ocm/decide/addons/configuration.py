"""The configuration of an add-on, from what is asked for to what each cluster may have now.

The row is keyed by the ClusterManagementAddOn: a rollout is about all its clusters together. In one look it
tells hashes and progress in the add-on's status, gives clusters their configuration in the order that the
rollout strategies allow, and says there what they wait for. Each object is written once. Whether a cluster
has arrived is `progress`; what is deployed with a configuration is the business of the add-on's agent.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.api.addon_words import (
    ADDON_CONFIGURED,
    ADDON_NOT_CONFIGURED,
    CONFIGURATION_NOT_FOUND,
    CONFIGURATIONS_RESOLVED,
    CONFIGURED,
    PROGRESSING,
)
from gitops_ocm.api.meta import KnownCondition
from gitops_ocm.decide.addons.assignment import Member, Source, assign, placement_source, roll_out
from gitops_ocm.decide.addons.config_objects import KINDS, Objects, spec_hash
from gitops_ocm.decide.addons.install import cma_ref
from gitops_ocm.decide.addons.leaving import leaving
from gitops_ocm.decide.addons.management import BY_NAME, is_ours, is_placed, placement_entries
from gitops_ocm.decide.addons.progress import progressed
from gitops_ocm.decide.addons.progressions import (
    absent,
    default_references,
    default_wanted,
    entry_wanted,
    news,
    problems_of,
    progression,
    with_problems,
    with_progress,
)
from gitops_ocm.decide.addons.references import (
    Config,
    Wanted,
    configs_in,
    defaults_of,
    desired_in,
    hashes_in,
    merged,
    named,
)
from gitops_ocm.decide.addons.selection import choice
from gitops_ocm.decide.addons.versions import at_beta, report_at_version
from gitops_ocm.decide.contract import DONE, Emit, Outcome, View, Write
from gitops_ocm.decide.rollout import State
from gitops_ocm.decide.settings import HubSettings
from gitops_ocm.decide.writes import conditions_of, is_deleting, name_of, seconds_until, status_of
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref, kind_of

References = Sequence[Mapping[str, Any]]


@dataclass(frozen=True)
class Configuration:
    """The row."""

    settings: HubSettings

    def __call__(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ClusterManagementAddOn."""
        live = view.get(key)
        if live is None:
            return DONE
        if is_deleting(live):
            return Outcome(notes=leaving(view.indexed(BY_NAME, key.name)))
        cma = at_beta(live)
        objects = Objects.of(view, cma)
        defaults = default_wanted(cma, objects)
        told: Object = {"defaultConfigReferences": default_references(defaults)}
        events = _missing_defaults(live, cma, defaults, objects)
        if not is_placed(cma):
            told["installProgressions"] = []
        if not is_ours(cma):
            return Outcome(_with_events(report_at_version(live, told), events))
        addons = view.indexed(BY_NAME, key.name)
        sources = sources_of(view, cma, addons, now, compat=self.settings.rollout_compat)
        if is_placed(cma):
            told["installProgressions"] = [self._told(cma, source, objects, now) for source in sources[1:]]
            events += _news(live, cma, told["installProgressions"])
        writes: list[Write] = [*_with_events(report_at_version(live, told), events)]
        for source in sources:
            for cluster in sorted(source.members):
                writes += self._configure(view, source, source.members[cluster], objects, now)
        wakes = [seconds_until(s.step.recheck, now) for s in sources if s.step.recheck is not None]
        return Outcome(
            tuple(writes),
            requeue_after=min(wakes, default=None),
            keep_going=True,
            notes=tuple(f"{s.name} waits: {s.waits}" for s in sources if s.waits),
        )

    def _told(self, cma: Object, source: Source, objects: Objects, now: datetime) -> Object:
        """A placement's part of the add-on's status."""
        found = progression(cma, source.entry or {}, source.wanted)
        if not source.waits:
            found = with_progress(found, source, now, compat=self.settings.rollout_compat)
        missing: list[Config] = [config for config in source.wanted if objects.is_missing(config)]
        held = with_problems(found.get("conditions") or (), problems_of(source, missing), now)
        kept = {k: v for k, v in found.items() if k != "conditions"}
        return {**kept, **({"conditions": held} if held else {})}

    def _configure(
        self, view: View, source: Source, member: Member, objects: Objects, now: datetime
    ) -> Sequence[Write]:
        """What one cluster's add-on is told."""
        live, addon = member.live, member.addon
        before = status_of(addon).get("configReferences") or []
        references, configured = (before, None) if source.waits else _given(source, member, before)
        references = _observed(addon, references, objects)
        held = conditions_of(addon)
        if configured is not None:
            held = conditions.with_condition(held, **configured._asdict(), now=now)
        told: Object = {"configReferences": references, "conditions": held}
        if hashes_in(references) != hashes_in(before):
            # Both in one write: an add-on with another configuration has not arrived at it.
            compat = self.settings.rollout_compat
            between = {**addon, "status": {**status_of(addon), **told}}
            told |= progressed(view, between, now, compat=compat, restarted=True)
        missing = absent([config for config in member.wanted if objects.is_missing(config)])
        told["conditions"] = with_problems(told["conditions"], missing, now)
        writes = report_at_version(live, told)
        return _with_events(writes, _own_news(live, addon, told["conditions"], objects))


def sources_of(
    view: View, cma: Object, addons: Iterable[Object], now: datetime, *, compat: bool = False
) -> list[Source]:
    """What configures an add-on (at v1beta1): defaults, then placements, each with what it may do now."""
    objects = Objects.of(view, cma)
    defaults = sorted(default_wanted(cma, objects).items(), key=lambda pair: pair[0].kind)
    sources = [Source(dict(defaults))]
    for entry in placement_entries(cma) if is_placed(cma) else ():
        chosen = choice(view, entry["namespace"], entry["name"])
        sources.append(placement_source(entry, entry_wanted(cma, entry, objects), chosen, compat=compat))
    assign(sources, addons, compat=compat)
    roll_out(sources, now, compat=compat)
    return sources


def _given(source: Source, member: Member, before: References) -> tuple[References, KnownCondition | None]:
    """The references a cluster's add-on has from now on, and what Configured says; None: as it said."""
    cluster, state = member.state.cluster, member.state.state
    if cluster in source.rolling:
        return merged(before, member.wanted), ADDON_CONFIGURED
    if state is State.TO_APPLY:
        return before, ADDON_NOT_CONFIGURED
    return before, ADDON_CONFIGURED if state is State.SUCCEEDED else None


def _observed(addon: Object, references: References, objects: Objects) -> References:
    """The references with the generations that are there, and the hashes of what the add-on names itself.

    What a person changes for one cluster is for that cluster at once: no rollout is about it.
    """
    own = set(configs_in(addon.get("spec") or {}))
    found: list[Mapping[str, Any]] = []
    for each in references:
        config = desired_in(each)
        obj = objects.find(config) if config is not None else None
        if config is not None and obj is not None:
            each = {**each, "lastObservedGeneration": obj["metadata"].get("generation") or 0}
            if config in own:
                each = {**each, "desiredConfig": named(config, objects.hash_of(config))}
        found.append(each)
    return found


# --- events -----------------------------------------------------------------------------------------


def _with_events(writes: Sequence[Write], events: Iterable[Emit]) -> tuple[Write, ...]:
    """Events go with the write that tells the same: what is told already is not told again."""
    return (*writes, *events) if writes else ()


def _warning(about: Object, reason: str, message: str) -> Emit:
    return Emit(about, reason, message, kind="Warning", action=CONFIGURED)


def _missing_defaults(live: Object, cma: Object, defaults: Wanted, objects: Objects) -> list[Emit]:
    """Events for defaults that are not there, and were not said to be so."""
    told = hashes_in(status_of(cma).get("defaultConfigReferences") or ())
    fresh = [config for config in defaults if objects.is_missing(config) and told.get(config) != ""]
    return [_warning(live, CONFIGURATION_NOT_FOUND.reason, told.message) for told in absent(fresh)]


def _news(live: Object, cma: Object, progressions: Sequence[Mapping[str, Any]]) -> list[Emit]:
    """Events for what is told of placements and was not before."""
    before = {
        (p["namespace"], p["name"]): p.get("conditions")
        for p in status_of(cma).get("installProgressions") or ()
    }
    found = [news(before.get((p["namespace"], p["name"])), p.get("conditions")) for p in progressions]
    return [_warning(live, told["reason"], told["message"]) for told in found if told is not None]


def _own_news(
    live: Object, addon: Object, after: Sequence[Mapping[str, Any]], objects: Objects
) -> list[Emit]:
    """An event for what the add-on itself names and is not there; what it inherits is told once, above."""
    own = [config for config in configs_in(addon.get("spec") or {}) if objects.is_missing(config)]
    if not own or news(conditions_of(addon), after) is None:
        return []
    return [_warning(live, told.reason, told.message) for told in absent(own)]


# --- what wakes the row -----------------------------------------------------------------------------

BY_CONFIG, ADDONS_BY_CONFIG = "management-addons-by-config", "cluster-addons-by-config"


def configs_of_cma(cma: Object) -> Iterable[str]:
    """An add-on is filed under every configuration that its spec names."""
    beta = at_beta(cma)
    entries = placement_entries(beta)
    return sorted({_filed(c) for c in (*defaults_of(beta), *(c for e in entries for c in configs_in(e)))})


def configs_of_addon(addon: Object) -> Iterable[str]:
    """A ManagedClusterAddOn is filed under every configuration that it names or has."""
    has = hashes_in(status_of(at_beta(addon)).get("configReferences") or ())
    return sorted({_filed(config) for config in (*configs_in(addon.get("spec") or {}), *has)})


def _filed(config: Config) -> str:
    return "/".join(config)


def of_config(view: View, obj: Object) -> Iterable[Ref]:
    """The add-ons that a configuration is for, on any cluster."""
    kind, meta = kind_of(obj), obj["metadata"]
    group, resource = next(of for of, known in KINDS.items() if known == kind)
    value = _filed(Config(group, resource, meta.get("namespace") or "", meta["name"]))
    names = {name_of(cma) for cma in view.indexed(BY_CONFIG, value)}
    names |= {name_of(addon) for addon in view.indexed(ADDONS_BY_CONFIG, value)}
    return [cma_ref(name) for name in sorted(names)]


def content_changes(old: Object | None, new: Object | None) -> bool:
    """Whether a configuration comes, goes, or says something else."""
    return old is None or new is None or _said(old) != _said(new)


def _said(obj: Object) -> tuple[object, str]:
    return obj["metadata"].get("generation"), spec_hash(obj)


def addon_changes(old: Object | None, new: Object | None) -> bool:
    """Whether an add-on on a cluster changes in what configuration goes by: its health does not count."""
    return old is None or new is None or _essence(old) != _essence(new)


def _essence(addon: Object) -> tuple[object, ...]:
    told = status_of(addon)
    kinds = (CONFIGURED, PROGRESSING, CONFIGURATIONS_RESOLVED)
    held = [conditions.find(conditions_of(addon), kind) for kind in kinds]
    return (addon["metadata"].get("uid"), addon.get("spec"), told.get("configReferences"), held)
