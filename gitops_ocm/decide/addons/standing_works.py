"""The works of an add-on that are on the hub, found by their names and labels."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from gitops_ocm.api.addon_words import ADDON_NAME_LABEL, ADDON_NAMESPACE_LABEL
from gitops_ocm.decide.addons.deploy_works import Side
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.kinds import CLUSTER_ADDON, MANIFEST_WORK
from gitops_ocm.decide.writes import labels_of, name_of, namespace_of
from gitops_ocm.objects.ref import Object, Ref

BY_HOSTED_ADDON = "works-by-hosted-addon"
"""Index: the works that another cluster holds for an add-on."""


def works_of(view: View, side: Side) -> list[Object]:
    """The works with the manifests of one side, by number."""
    numbered = []
    for work in view.list(MANIFEST_WORK, side.cluster, labels={ADDON_NAME_LABEL: name_of(side.addon)}):
        found = re.fullmatch(re.escape(side.prefix) + "-([0-9]{1,9})", name_of(work))
        if found is not None:
            numbered.append((int(found[1]), work))
    return [work for _, work in sorted(numbered, key=lambda each: each[0])]


def held_elsewhere(view: View, addon: Object, *, of_hooks: bool) -> list[Object]:
    """All works on hosting clusters, whichever these are or were; those of hooks, or the others."""
    named = view.indexed(BY_HOSTED_ADDON, f"{namespace_of(addon)}/{name_of(addon)}")
    own = Side(addon, namespace_of(addon), hosting=True)
    here = view.list(MANIFEST_WORK, own.cluster, labels={ADDON_NAME_LABEL: name_of(addon)})
    found = [*named, *(work for work in here if name_of(work).startswith((own.hook, own.prefix)))]
    return [work for work in found if name_of(work).startswith(own.hook) == of_hooks]


def hosted_addon(work: Object) -> Iterable[str]:
    """Under which add-on a work on a hosting cluster is filed."""
    labels = labels_of(work)
    name, namespace = labels.get(ADDON_NAME_LABEL), labels.get(ADDON_NAMESPACE_LABEL)
    return (f"{namespace}/{name}",) if name and namespace else ()


def addon_of(view: View, work: Object) -> Sequence[Ref]:
    """The add-on that a work is for."""
    labels = labels_of(work)
    name = labels.get(ADDON_NAME_LABEL)
    namespace = labels.get(ADDON_NAMESPACE_LABEL) or namespace_of(work)
    return (Ref(*CLUSTER_ADDON, namespace, name),) if name else ()
