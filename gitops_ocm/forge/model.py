"""The words all forges share, and what each has to say of itself: the `Forge` protocol.

A forge is pure: it makes `Request`s and reads `Answer`s. `http` sends them, `steps` decides which, `post`
brings the three together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Generic, Protocol, TypeVar

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Kind(StrEnum):
    """The forges we know."""

    GITHUB = "github"
    GITLAB = "gitlab"
    GITEA = "gitea"
    BITBUCKET = "bitbucket"
    BITBUCKET_SERVER = "bitbucket-server"


class State(StrEnum):
    """What a commit's status can say."""

    PENDING = "pending"
    SUCCESS = "success"
    FAILURE = "failure"
    """The preview was made, and the sync would refuse the commit."""
    ERROR = "error"
    """There is no preview."""


@dataclass(frozen=True, slots=True)
class Request:
    """One call; `path` is below the API's root, each part quoted.

    `url` takes the place of both: a query in GraphQL, which only reads.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] | None = None
    url: str = ""

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET" and not self.url


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; header names are in lower case, `body` is None where there was none."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """A request and what its answer means. `read` may raise KeyError or TypeError for one it does not know.

    `absent` says that 404 is an answer too, which means None.
    """

    request: Request
    read: Callable[[Answer], T_co]
    absent: bool = False


@dataclass(frozen=True, slots=True)
class Comment:
    """A comment of a pull request. `author` are the names its author goes by; `version` counts edits."""

    id: int
    author: frozenset[str]
    body: str
    version: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the comments, and how to ask for the next."""

    comments: tuple[Comment, ...]
    next: Request | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A pull request: the commit it is at, and whether it still waits to be merged."""

    head: str
    open: bool


@dataclass(frozen=True, slots=True)
class Status:
    """What is said of a commit under one name."""

    context: str
    state: State
    description: str
    url: str = ""


class Forge(Protocol):
    """One pull request on one forge."""

    limit: int
    """So many characters go into a comment."""
    line: int
    """So many characters go into a status' description."""
    rights: str
    """What a token needs, for people."""
    plain: bool
    """Whether comments show HTML as it is written."""

    def headers(self, token: str) -> Mapping[str, str]:
        """What shows the token, and which API is meant."""
        ...

    def me(self) -> Call[frozenset[str]]:
        """The names that the token's owner goes by."""
        ...

    def change(self) -> Call[Change]:
        """The pull request."""
        ...

    def comments(self) -> Call[Page]:
        """The first page of its comments."""
        ...

    def more(self, request: Request) -> Call[Page]:
        """A page after the first."""
        ...

    def create(self, body: str) -> Call[int]:
        """Write a comment; its id."""
        ...

    def edit(self, comment: Comment, body: str) -> Call[None]:
        """Write a comment anew."""
        ...

    def delete(self, comment: Comment) -> Call[None]:
        """Take a comment away."""
        ...

    def standing(self, commit: str, context: str) -> Call[Status | None]:
        """What is said of a commit under a name."""
        ...

    def say(self, commit: str, status: Status) -> Call[None]:
        """Say something of a commit."""
        ...


class Asks(Protocol):
    """Sends calls: `http.Wire`."""

    async def ask(self, call: Call[T]) -> T:
        """What the answer means; raises an `errors.ForgeError` for one that is none."""
        ...


def nothing(_: Answer) -> None:
    """Reads an answer that says no more than that it was done."""
