"""A commit judged by the policy of the one in force: the preview of both, as before a merge. Blocks.

Called in a worker thread (`source`). It ends when it is late, whatever it is at.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from gitops_ocm.desired.compile import DesiredState
from gitops_ocm.errors import GitopsError
from gitops_ocm.git import refs
from gitops_ocm.git.errors import RefNotFound
from gitops_ocm.git.source import Repository
from gitops_ocm.objects.catalog import Catalog
from gitops_ocm.objects.cel.patience import OutOfPatience, Patience, hasty
from gitops_ocm.preview.effects import preview_of
from gitops_ocm.preview.model import Ruling
from gitops_ocm.preview.policy.judge import judged
from gitops_ocm.preview.policy.overrides import TRAILER, read_overrides
from gitops_ocm.preview.run import Settings, attempt
from gitops_ocm.preview.state import FleetState, read_state
from gitops_ocm.simulate.limit import TookTooLong, limited
from gitops_ocm.sync.spec import SyncSpec

_UNITS = 2**31
"""What one call of a function in CEL may cost: what rules may cost is `desired.policy_language`'s."""


class NotJudged(GitopsError):
    """Nobody knows what the policy says of a commit."""

    code = "not-judged"


def rulings(
    repository: Repository,
    base: DesiredState,
    head: DesiredState,
    spec: SyncSpec,
    *,
    catalog: Catalog,
    now: datetime,
    late: Callable[[], bool],
) -> tuple[Ruling, ...]:
    """What the policy of `base` says of `head`; raises `GitopsError` where that cannot be told."""
    now = now.replace(microsecond=0)  # as API times are
    try:
        state = _state(repository, spec)
        overrides = read_overrides(repository.trailers(TRAILER, base.commit, head.commit))
        with limited(late):
            settings = Settings(policy=spec.policy)
            tried = attempt(base, head, state, catalog=catalog, now=now, settings=settings)
        found = preview_of(tried, base, head, state, now)
        with hasty(Patience(late, _UNITS)):
            return judged(found, base, head, overrides).rulings
    except (OutOfPatience, TookTooLong):
        raise NotJudged("it took longer than it may", hint="try it: gitops-ocm preview") from None
    except GitopsError:
        raise
    except Exception as error:
        raise NotJudged(f"the preview failed: {type(error).__name__}: {error}") from error


def _state(repository: Repository, spec: SyncSpec) -> FleetState:
    """The fleet as this sync itself has told of it."""
    if not spec.status_enabled:
        return FleetState()
    try:
        found = repository.fetch(refs.branch(spec.status_branch))
    except RefNotFound:
        return FleetState()
    return read_state(repository.tree(found.new))
