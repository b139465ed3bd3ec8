"""Add-ons whose manager is a program of their own: what it makes of a configuration nobody here can compute.

Of an add-on made of templates the hub's controllers make the works, and so does a preview. Of any other the
preview assumes that its manager brings each cluster what it is configured with, as `Assumptions` say of
clusters: after their time, and not where they fail or are down. The row that judges how far add-ons are is
`decide.addons.progress`; this takes its place for those add-ons alone, and a note says so.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from gitops_ocm.api.addon_words import ADDON_COMPLETED, PROGRESSING
from gitops_ocm.decide.addons.agent import TEMPLATES, reference
from gitops_ocm.decide.addons.config_objects import is_templated
from gitops_ocm.decide.addons.deploy_works import guessed_plural
from gitops_ocm.decide.addons.install import cma_ref
from gitops_ocm.decide.addons.management import is_ours
from gitops_ocm.decide.addons.progress import applied_references
from gitops_ocm.decide.addons.versions import at_beta, report_at_version
from gitops_ocm.decide.agent.identity import Identity, identity_of
from gitops_ocm.decide.contract import DONE, Controller, Outcome, View
from gitops_ocm.decide.kinds import CLUSTER_ADDON
from gitops_ocm.decide.writes import conditions_of, is_deleting, status_of, time_at
from gitops_ocm.objects import conditions
from gitops_ocm.objects.ref import Object, Ref
from gitops_ocm.preview.assumptions import Assumptions
from gitops_ocm.simulate.run import Step

PROGRESS = "addon-progressing"


def left_to_them(table: Sequence[Controller]) -> tuple[Controller, ...]:
    """The table for a hub where these managers do nothing, and nobody judges them anew."""
    return tuple(_instead(row, None) for row in table)


def assumed_of_them(table: Sequence[Controller], assumed: Assumptions) -> tuple[Controller, ...]:
    """The table for a hub where they do as it is assumed."""
    return tuple(_instead(row, assumed) for row in table)


def _instead(row: Controller, assumed: Assumptions | None) -> Controller:
    if row.name != PROGRESS:
        return row
    slow = frozenset((*assumed.failing, *assumed.down)) if assumed is not None else frozenset()

    def reconcile(view: View, key: Ref, now: datetime) -> Outcome:
        addon, cma = view.get(key), view.get(cma_ref(key.name))
        if addon is None or cma is None or not is_ours(cma) or has_template(cma, addon):
            return row.reconcile(view, key, now)
        if assumed is None or key.namespace in slow or is_deleting(addon):
            return DONE
        return _taken(addon, assumed.takes, now)

    return replace(row, reconcile=reconcile)


def has_template(cma: Object, addon: Object) -> bool:
    """Whether the hub's own controllers make the works of an add-on, of an AddOnTemplate."""
    return is_templated(at_beta(cma)) or reference(at_beta(addon), TEMPLATES) is not None


def _taken(addon: Object, takes: float, now: datetime) -> Outcome:
    """It has what it is configured with; where it was given that just now, in a while."""
    beta = at_beta(addon)
    told = conditions.find(conditions_of(beta), PROGRESSING)
    references = applied_references(beta)
    done = told is not None and told.get("reason") == ADDON_COMPLETED.reason
    if done and references == list(status_of(beta).get("configReferences") or ()):
        return DONE
    given = time_at(told.get("lastTransitionTime")) if told is not None else None
    left = (given + timedelta(seconds=takes) - now).total_seconds() if given is not None else 0.0
    if left > 0:
        return Outcome(requeue_after=left)
    held = [c for c in conditions_of(beta) if c is not told or done]
    now_told = conditions.with_condition(held, **ADDON_COMPLETED._asdict(), now=now)
    return Outcome(report_at_version(addon, {"conditions": now_told, "configReferences": references}))


def told_of_them(
    steps: Sequence[Step], changed: Collection[Ref], after: Mapping[Ref, Object]
) -> Iterator[str]:
    """A line for each add-on of whose manager something was assumed: that it took what it was given, or what
    it has as its configuration that was `changed`.
    """
    taken = {step.key for step in steps if step.controller == PROGRESS}
    configs = {(ref.group, guessed_plural(ref.kind), ref.namespace, ref.name) for ref in changed}
    for name in sorted(
        {ref.name for ref in _left_to_them(after) if ref in taken or _uses(after[ref], configs)}
    ):
        yield (
            f"the manager of the add-on {name} is a program of its own: what it makes of a configuration is "
            "not known here, and is assumed to be brought to each cluster like all else"
        )


def _left_to_them(objects: Mapping[Ref, Object]) -> Iterator[Ref]:
    for ref, addon in objects.items():
        if ref.of == CLUSTER_ADDON:
            cma = objects.get(cma_ref(ref.name))
            if cma is not None and is_ours(cma) and not has_template(cma, addon):
                yield ref


def _uses(addon: Object, configs: Collection[Identity]) -> bool:
    held = (status_of(at_beta(addon)).get("configReferences")) or ()
    return any(identity_of({**each, **(each.get("desiredConfig") or {})}) in configs for each in held)
