"""Says what the configurations of authors' add-ons hash to: that is their own manager's business.

The hub's add-on manager decides which configuration holds where and how a change rolls out; it takes the
hashes from the statuses of the ClusterManagementAddOn (defaults, and by placement) and, for what a
ManagedClusterAddOn itself names, from that one's status. Here they are put there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.decide.addons import management
from gitops_ocm.decide.addons.config_objects import KINDS, spec_hash
from gitops_ocm.decide.addons.references import Config, configs_in, desired_in
from gitops_ocm.decide.addons.versions import at_beta, report_at_version
from gitops_ocm.decide.contract import DONE, Controller, Index, Outcome, Read, View, Wake
from gitops_ocm.decide.kinds import ADDON_GROUP, CLUSTER_ADDON, DEPLOYMENT_CONFIG, MANAGEMENT_ADDON
from gitops_ocm.decide.writes import name_of, status_of
from gitops_ocm.objects.ref import Object, Ref, ref_of

_KIND = (ADDON_GROUP, "addondeploymentconfigs")
_STATUS = ("patch", "update")


def config_rows(names: frozenset[str], *, group: str, prefix: str) -> tuple[Controller, ...]:
    """The rows for add-ons of these names."""
    hashes = ConfigHashes(names)
    return (
        Controller(
            f"{prefix}-defaults",
            group,
            hashes.of_management,
            (Wake(MANAGEMENT_ADDON), Wake(DEPLOYMENT_CONFIG, hashes.managements)),
            writes={f"{ADDON_GROUP}/clustermanagementaddons/status": _STATUS},
        ),
        Controller(
            f"{prefix}-configs",
            group,
            hashes.of_cluster,
            (Wake(CLUSTER_ADDON), Wake(DEPLOYMENT_CONFIG, hashes.referring)),
            (Read(DEPLOYMENT_CONFIG),),
            (Index(management.BY_NAME, CLUSTER_ADDON, management.own_name),),
            writes={f"{ADDON_GROUP}/managedclusteraddons/status": _STATUS},
        ),
    )


@dataclass(frozen=True)
class ConfigHashes:
    """The hashes for some add-ons."""

    names: frozenset[str]

    def of_management(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ClusterManagementAddOn."""
        live = view.get(key)
        if live is None or key.name not in self.names:
            return DONE
        status = status_of(at_beta(live))
        told: Object = {}
        if status.get("defaultConfigReferences"):
            told["defaultConfigReferences"] = _hashed(view, status["defaultConfigReferences"])
        if status.get("installProgressions"):
            told["installProgressions"] = [
                {**entry, "configReferences": _hashed(view, entry["configReferences"])}
                if entry.get("configReferences")
                else entry
                for entry in status["installProgressions"]
            ]
        return Outcome(report_at_version(live, told))

    def of_cluster(self, view: View, key: Ref, now: datetime) -> Outcome:
        """Reconcile one ManagedClusterAddOn."""
        live = view.get(key)
        if live is None or key.name not in self.names:
            return DONE
        beta = at_beta(live)
        references = status_of(beta).get("configReferences")
        if not references:
            return DONE
        own = set(configs_in(beta.get("spec") or {}))
        seen = [_observed(view, each) for each in _hashed(view, references, own)]
        return Outcome(report_at_version(live, {"configReferences": seen}))

    # What wakes them

    def managements(self, view: View, config: Object) -> Iterable[Ref]:
        """The add-ons that may refer to a configuration: they are few."""
        return [Ref(*MANAGEMENT_ADDON, "", name) for name in sorted(self.names)]

    def referring(self, view: View, config: Object) -> Iterable[Ref]:
        """The add-ons whose status refers to it."""
        wanted = Config(*_KIND, *_place(config))
        return [
            ref_of(addon)
            for name in sorted(self.names)
            for addon in view.indexed(management.BY_NAME, name)
            if any(desired_in(each) == wanted for each in _references(addon))
        ]


def _place(config: Object) -> tuple[str, str]:
    return str(config["metadata"].get("namespace") or ""), name_of(config)


def _references(addon: Object) -> Sequence[Mapping[str, Any]]:
    found: Sequence[Mapping[str, Any]] = status_of(at_beta(addon)).get("configReferences") or ()
    return found


def _object(view: View, config: Config) -> Object | None:
    return view.get(Ref(*KINDS[_KIND], config.namespace, config.name)) if config.kind == _KIND else None


def _hashed(
    view: View, references: Iterable[Mapping[str, Any]], only: Collection[Config] | None = None
) -> list[Object]:
    """References with the hashes of the objects they name; of `only` some where that is given."""
    found = []
    for each in references:
        config = desired_in(each)
        if config is None or config.kind != _KIND or (only is not None and config not in only):
            found.append(dict(each))
            continue
        obj = _object(view, config)
        hashed = {**each["desiredConfig"], "specHash": spec_hash(obj) if obj is not None else ""}
        found.append({**each, "desiredConfig": hashed})
    return found


def _observed(view: View, reference: Mapping[str, Any]) -> Object:
    """A reference with the generation of the object as it was read."""
    config = desired_in(reference)
    obj = _object(view, config) if config is not None else None
    generation = (obj or {}).get("metadata", {}).get("generation")
    return {**reference, "lastObservedGeneration": generation} if generation else dict(reference)
