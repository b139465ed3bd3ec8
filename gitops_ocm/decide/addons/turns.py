"""Whether a change of a configuration has reached an add-on yet.

A configuration may be changed in place, and a rollout brings that to one cluster after the other: what an
add-on's status says is desired has the hash of the content that is meant. Until that is the new one, what was
deployed stays as it is; there is nothing else to render it from.
"""

from __future__ import annotations

from collections.abc import Sequence

from gitops_ocm.api.work import CONFIG_HASH_ANNOTATION
from gitops_ocm.decide.addons.config_objects import KINDS, spec_hash
from gitops_ocm.decide.addons.deploy_works import config_hashes
from gitops_ocm.decide.addons.references import desired_in, hashes_in
from gitops_ocm.decide.contract import View
from gitops_ocm.decide.writes import annotations_of, status_of
from gitops_ocm.objects.ref import Object, Ref


def stays_as_it_is(view: View, addon: Object, works: Sequence[Object]) -> bool:
    """Whether works hold what is desired, and a configuration has gone on from there since."""
    wanted = config_hashes(addon).get(CONFIG_HASH_ANNOTATION)
    if not works or any(annotations_of(work).get(CONFIG_HASH_ANNOTATION) != wanted for work in works):
        return False
    return _has_moved_on(view, addon)


def _has_moved_on(view: View, addon: Object) -> bool:
    references = status_of(addon).get("configReferences") or ()
    told = hashes_in(references)
    for each in references:
        config = desired_in(each)
        kind = KINDS.get(config.kind) if config is not None else None
        if config is None or kind is None or not told[config]:
            continue
        obj = view.get(Ref(*kind, config.namespace, config.name))
        if obj is not None and spec_hash(obj) != told[config]:
            return True
    return False
