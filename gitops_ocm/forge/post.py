"""Puts a comment and a status up, and keeps at it until they stand as wanted.

Each round reads how things stand, lets `steps` choose, and takes one step. Two runs that do so at once come
to one comment. What stays open: only Bitbucket Data Center knows "write it if it is as I read it", so a run
whose commit is overtaken between reading and writing (one request apart) may write over the newer preview;
the newer run writes again if it has not finished by then.
"""

from __future__ import annotations

from dataclasses import replace

from gitops_ocm.forge.errors import NotThere, Refused, Unanswered, Unsettled, Unsure
from gitops_ocm.forge.model import Asks, Comment, Forge, State, Status
from gitops_ocm.forge.steps import Create, Delete, Done, Edit, Outcome, Seen, Step, Wanted, next_step, ours
from gitops_ocm.runtime.clock import Clock

ROUNDS = 8
PAGES = 200
"""Twenty thousand comments; whoever has more gets an error, not a second comment each time."""


async def put_comment(forge: Forge, wire: Asks, wanted: Wanted, clock: Clock, *, author: str = "") -> Outcome:
    """Have the pull request carry the comment; `author` is who we are, where the forge does not say."""
    me = frozenset({author}) if author else await _me(forge, wire)
    made: int | None = None
    wrote = False
    for _ in range(ROUNDS):
        step = next_step(await _look(forge, wire, me, wanted.fleet), wanted, made=made, wrote=wrote)
        if isinstance(step, Done):
            return step.outcome
        try:
            made = await _take(forge, wire, step, wanted.body) or made
            wrote = True
        except Unsure as unsure:
            await clock.sleep(unsure.after)
        except NotThere:
            if not isinstance(step, Edit):  # Somebody took it away since; another round writes one.
                raise
        except Refused:
            if isinstance(step, Delete):
                return Outcome.POSTED  # One too many that somebody answered, say; ours is right.
            raise
    raise Unsettled(
        f"the comment was written by others {ROUNDS} times over",
        hint="does another pipeline post for the same fleet? tell them apart by --name",
    )


async def put_status(forge: Forge, wire: Asks, commit: str, status: Status, clock: Clock) -> bool:
    """Have the commit carry the status; whether it had to be written."""
    wanted = replace(status, description=shortened(status.description, forge.line))
    for _ in range(ROUNDS):
        standing = await wire.ask(forge.standing(commit, wanted.context))
        if standing is not None and _says(standing, wanted):
            return False
        try:
            await wire.ask(forge.say(commit, wanted))
            return True
        except Unsure as unsure:
            await clock.sleep(unsure.after)
    raise Unsettled(
        f"the status {wanted.context} of {commit[:12]} could not be written", hint="try again later"
    )


def shortened(text: str, limit: int) -> str:
    """One line of at most so many characters."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def _says(standing: Status, wanted: Status) -> bool:
    """Whether it stands already; not every forge tells an error from a failure."""
    same = {wanted.state, State.FAILURE} if wanted.state is State.ERROR else {wanted.state}
    return standing.state in same and replace(standing, state=wanted.state) == wanted


async def _me(forge: Forge, wire: Asks) -> frozenset[str]:
    try:
        return await wire.ask(forge.me())
    except Refused as error:
        raise Refused(
            f"the forge does not say whose token this is: {error.message}",
            hint=f"give the name that its comments carry by --author; or use {forge.rights}",
        ) from error


async def _look(forge: Forge, wire: Asks, me: frozenset[str], fleet: str) -> Seen:
    """How things stand; the pull request is read last, for what it says decides whether to write."""
    comments: list[Comment] = []
    page = await wire.ask(forge.comments())
    for _ in range(PAGES):
        comments += page.comments
        if page.next is None:
            break
        page = await wire.ask(forge.more(page.next))
    else:
        raise Unanswered(f"the pull request has more than {PAGES} pages of comments", hint="begin another")
    return Seen(await wire.ask(forge.change()), ours(comments, me, fleet))


async def _take(forge: Forge, wire: Asks, step: Step, body: str) -> int | None:
    match step:
        case Create():
            return await wire.ask(forge.create(body))
        case Edit(comment):
            await wire.ask(forge.edit(comment, body))
        case Delete(comment):
            await wire.ask(replace(forge.delete(comment), absent=True))
        case Done():
            pass
    return None
