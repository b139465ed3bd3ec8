"""`explain config`: what an add-on is configured with on a cluster, and where each value comes from.

Which objects count there is asked of the functions that configure add-ons (`decide.addons`): what the
cluster's own add-on names, else the placement that configures it, else the defaults. Values are their fields.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from gitops_ocm.decide.addons.config_objects import KINDS
from gitops_ocm.decide.addons.configuration import sources_of
from gitops_ocm.decide.addons.install import cma_ref
from gitops_ocm.decide.addons.references import Config
from gitops_ocm.decide.addons.versions import at_beta
from gitops_ocm.decide.contract import Side, View
from gitops_ocm.decide.kinds import ADDON_TEMPLATE, CLUSTER_ADDON
from gitops_ocm.decide.writes import name_of, namespace_of
from gitops_ocm.errors import Location
from gitops_ocm.kube.cluster import Cluster
from gitops_ocm.objects.paths import Step
from gitops_ocm.objects.ref import Ref
from gitops_ocm.objects.reviewed import shown
from gitops_ocm.preview.addon_settings import level_of, settings_in
from gitops_ocm.preview.origins import Side as Origins
from gitops_ocm.simulate.view import WorldView
from gitops_ocm.verbs.explain import NotExplained, all_of, origin_told
from gitops_ocm.verbs.explain_addon import asks_about
from gitops_ocm.verbs.fleet_at import Place, fleet_at

Where = Callable[[Ref, tuple[Step, ...]], Location]


@dataclass(frozen=True)
class ConfigQuestion:
    """Which add-on on which cluster, and which field alone (`""`: all)."""

    addon: str
    cluster: str
    field: str = ""


@dataclass(frozen=True)
class Setting:
    """One value: the object it is a field of (`config`), who chose that object (`level`), and where it is.

    `field` is `""` for a configuration as a whole: a template, or one that is not the hub's to read.
    """

    config: str
    level: str
    field: str
    value: Any
    origin: Location


async def explain_config_on(hub: Cluster, question: ConfigQuestion, now: datetime) -> list[Setting]:
    """As the hub has it; of an origin the objects themselves tell the file and the commit."""
    view = await all_of(hub, asks_about(question.addon), "configuration")

    def where(ref: Ref, steps: tuple[Step, ...]) -> Location:
        obj = view.get(ref)
        return origin_told(obj) if obj is not None else Location()

    return list(explain_config_in(view, question, now, where))


def explain_config_at(place: Place, question: ConfigQuestion, now: datetime) -> list[Setting]:
    """As a commit and the status branch have it."""
    with fleet_at(place) as fleet:
        view, origins = WorldView({Side.HUB: fleet.hub(now)}, {}), Origins(fleet.desired)

        def where(ref: Ref, steps: tuple[Step, ...]) -> Location:
            return origins.of(ref, *steps)

        return list(explain_config_in(view, question, now, where))


def explain_config_in(view: View, question: ConfigQuestion, now: datetime, where: Where) -> Iterator[Setting]:
    """As the objects of a view have it."""
    live = view.get(cma_ref(question.addon))
    if live is None:
        raise NotExplained(
            f"there is no ClusterManagementAddOn {question.addon}", hint="see `gitops-ocm get addon`"
        )
    cma = at_beta(live)
    addons = [addon for addon in view.list(CLUSTER_ADDON) if name_of(addon) == question.addon]
    if question.cluster not in map(namespace_of, addons):
        raise NotExplained(
            f"{question.addon} is not on the cluster {question.cluster}",
            hint=f"gitops-ocm addon enable --names {question.addon} --clusters {question.cluster}",
        )
    for source in sources_of(view, cma, addons, now):
        if (member := source.members.get(question.cluster)) is None:
            continue
        for config in member.wanted:
            level = level_of(source, member, config)
            yield from _settings(view, config, level, question.field, where)


def _settings(view: View, config: Config, level: str, field: str, where: Where) -> Iterator[Setting]:
    kind = KINDS.get(config.kind)
    ref = Ref(*kind, config.namespace, config.name) if kind else None
    obj = view.get(ref) if ref else None
    if ref is None or obj is None or kind == ADDON_TEMPLATE:
        if not field:
            told = where(ref, ()) if ref else Location()
            yield Setting(
                str(config), level, "", None if obj is not None else _absent(kind is not None), told
            )
        return
    for path, steps, value in settings_in(shown(obj)):
        if not field or path == field or path.startswith((f"{field}.", f"{field}[")):
            yield Setting(str(config), level, path, value, where(ref, steps))


def _absent(ours: bool) -> str:
    return "there is no such object" if ours else "its add-on's own manager reads it"


def text(found: list[Setting]) -> str:
    """A line for each value, under the object it is from."""
    lines: list[str] = []
    for setting in found:
        head = f"{setting.config}  ({setting.level})"
        if head not in lines:
            lines.append(head)
        value = json.dumps(setting.value, ensure_ascii=False, sort_keys=True)
        what = f"{setting.field} = {value}" if setting.field else str(setting.value or "as a whole")
        lines.append(f"  {what}" + (f"  {setting.origin}" if setting.origin.path else ""))
    return "".join(f"{line}\n" for line in lines or ["no configuration says anything of it"])


def document(found: list[Setting]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "config": setting.config,
            "level": setting.level,
            **({"field": setting.field} if setting.field else {}),
            "value": setting.value,
            **({"origin": str(setting.origin)} if setting.origin.path else {}),
        }
        for setting in found
    ]
