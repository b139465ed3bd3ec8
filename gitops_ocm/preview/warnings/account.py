"""How far a preview can be relied on (how old the account of the fleet is, whether the base is in force), and
how near the prune guard is.

Told of every change that changes anything, for it is the preview itself that is in doubt.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from gitops_ocm.errors import Diagnostic, Location
from gitops_ocm.plan.changes import Action
from gitops_ocm.preview.warnings.case import Case, warning

OLD = timedelta(hours=1)
NEAR = 0.5
"""From this part of what the prune guard lets through it is told how near it is."""
LEAST = 5
"""So many deletions at least: of a few objects any number is a large part."""


def account(case: Case) -> Iterator[Diagnostic]:
    """What the preview is made of is old, and of another commit.

    An old account that answers the base says that all is quiet; a fresh one of another commit is the usual
    thing where main goes on, and is a note.
    """
    state, now, base = case.state, case.preview.now, case.preview.base
    told = state.source_commit
    if not state.commit or told == base or state.at is None or now - state.at <= OLD:
        return
    since = f"answers commit {told[:12]}, not {base[:12]}" if told else "does not say which commit it answers"
    yield warning(
        "state-stale",
        f"the account of the fleet is {_lasting(now - state.at)} old, and {since}",
        Location(),
        hint="see whether the sync still runs and may push: gitops-ocm get hub-info",
    )


def refused(case: Case) -> Iterator[Diagnostic]:
    """The base is not in force: the sync refused it, so a merge brings more than what is told, or less."""
    state, base, head = case.state, case.preview.base, case.preview.head
    if state.refused_commit != base:
        return
    since = state.source_commit[:12]
    what = (
        f"{since} is in force, and what lies between comes with a merge" if since else "nothing is in force"
    )
    yield warning(
        "base-refused",
        f"the sync refuses commit {base[:12]}, which this is compared with: {what}",
        Location(),
        note="what takes back a part of it changes nothing on the hub",
        hint=f"see what would come in force: gitops-ocm preview {since}..{head[:12]}" if since else "",
    )


def _lasting(span: timedelta) -> str:
    hours = round(span.total_seconds() / 3600)
    return f"{hours} hours" if 1 < hours < 48 else f"{hours // 24} days" if hours >= 48 else "an hour"


def guarded(case: Case) -> Iterator[Diagnostic]:
    """How near the deletions come to what the sync would stop; that it does is the plan's own warning."""
    plan, limit = case.tried.plan, case.tried.policy.max_prune_percent
    going = [change for change in plan.changes if change.action is Action.PRUNE]
    standing = sum(change.live is not None for change in plan.changes)
    if len(going) < LEAST or limit >= 100 or not standing:
        return
    share = 100 * len(going) / standing
    if share >= NEAR * limit:
        yield warning(
            "prune-guard-near",
            f"{len(going):,} of {standing:,} objects ({round(share)}%) are deleted: a commit that deletes "
            f"more than {limit}% would be stopped, this one is not",
            case.origins.of(going[0].ref),
            hint="bring back what should stay; a rule maxDeletions in gitops-ocm.yaml refuses such a change",
        )
