"""How a synchronous write gets answers from webhooks: it is tried, and tried again once they have answered.

A verb that needs an answer which nobody has given yet raises `Unanswered`; nothing has been written by then.
`consulted` asks, and calls the verb again. What is asked about is part of the question, so that an answer
about an object that has changed meanwhile is never used for another.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import orjson

from gitops_ocm.apiserver.hooks.reviews import Verdict
from gitops_ocm.apiserver.naming import new_suffix, new_uid
from gitops_ocm.apiserver.rbac import User
from gitops_ocm.objects.cel_authorizer import Authorizer
from gitops_ocm.objects.faults import ApiError
from gitops_ocm.objects.ref import Object

T = TypeVar("T")
REQUEST_SECONDS = 60.0
"""How long one request may go on asking."""
_VARYING = ("uid", "creationTimestamp", "managedFields")
"""Metadata that differs each time a creation is tried, and that no answer is about."""


@dataclass(frozen=True)
class Question:
    """One webhook's part in a write: whom to ask and what; `round` counts how often it is asked."""

    configuration: str
    webhook: Mapping[str, Any]
    review: Object
    mutating: bool
    round: int = 0

    @property
    def key(self) -> bytes:
        """What tells this question from every other of the same request."""
        request = {k: v for k, v in self.review["request"].items() if k != "uid"}
        obj = request.get("object")
        if isinstance(obj, dict):
            meta = {k: v for k, v in (obj.get("metadata") or {}).items() if k not in _VARYING}
            request["object"] = {**obj, "metadata": meta}
        whole = [self.mutating, self.configuration, self.webhook.get("name"), self.round, request]
        return hashlib.sha256(orjson.dumps(whole, option=orjson.OPT_SORT_KEYS)).digest()


class Unanswered(Exception):
    """Webhooks have to be asked before the write can go on."""

    def __init__(self, questions: Sequence[Question]) -> None:
        super().__init__(f"{len(questions)} questions to webhooks")
        self.questions = tuple(questions)


@dataclass
class Consultation:
    """What has been answered in the course of one request, and by whom that is made.

    A request that is tried again makes the same object again: its uid and the end of a generated name.
    `authorizer` knows what else the user may.
    """

    user: Mapping[str, Any] = field(default_factory=dict)
    authorizer: Authorizer | None = None
    uid: str = field(default_factory=new_uid)
    answers: dict[bytes, Verdict | ApiError] = field(default_factory=dict)

    @cached_property
    def suffix(self) -> str:
        """The end of a generated name, made when one is wanted."""
        return new_suffix()

    def verdicts(self, questions: Sequence[Question]) -> list[Verdict | ApiError]:
        """The answers, in order: a verdict, or what became of the attempt to get one."""
        missing = [question for question in questions if question.key not in self.answers]
        if missing:
            raise Unanswered(missing)
        return [self.answers[question.key] for question in questions]


Ask = Callable[[Question], Awaitable[Verdict | ApiError]]


async def consulted(attempt: Callable[[], Awaitable[T]], consultation: Consultation, ask: Ask) -> T:
    """What the attempt comes to, with every webhook asked that it concerns."""
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            while True:
                try:
                    return await attempt()
                except Unanswered as needed:
                    questions = needed.questions
                answers = await asyncio.gather(*map(ask, questions))
                consultation.answers |= {q.key: a for q, a in zip(questions, answers, strict=True)}
    except TimeoutError:
        text = "Timeout: request did not complete within requested timeout - context deadline exceeded"
        raise ApiError("Timeout", text, details={}) from None


def user_info(user: User) -> Mapping[str, Any]:
    """Who asks, as reviews tell it."""
    said = {
        "username": user.name,
        "uid": user.uid,
        "groups": list(user.groups),
        "extra": {key: list(values) for key, values in user.extra.items()},
    }
    return {key: value for key, value in said.items() if value}
