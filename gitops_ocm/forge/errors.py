"""What can go wrong between us and a forge.

ForgeError                  the root
├── TargetUnknown           it is not known which pull request is meant, or where
├── NoToken                 there is nothing to show the forge
├── Refused                 the forge does not let the token do that
├── NotThere                the forge has no such thing, or hides it from this token
├── Unanswered              the forge cannot be reached, or answers nonsense
├── Limited                 the forge asks to wait longer than we do
├── Unsettled               others kept writing the same comment
└── Unsure                  a write that may or may not have been taken: look again (never shown)
"""

from __future__ import annotations

from gitops_ocm.errors import GitopsError


class ForgeError(GitopsError):
    """Something between us and a forge."""

    code = "forge"


class TargetUnknown(ForgeError):
    """It is not known which pull request is meant, or on which forge."""

    code = "forge-target"


class NoToken(ForgeError):
    """No token was given."""

    code = "forge-no-token"


class Refused(ForgeError):
    """The token may not do that."""

    code = "forge-refused"


class NotThere(ForgeError):
    """There is no such repository, pull request or comment, or the token does not see it."""

    code = "forge-not-found"


class Unanswered(ForgeError):
    """No answer, or none that can be read."""

    code = "forge-unanswered"


class Limited(ForgeError):
    """Too many requests, for longer than anybody waits."""

    code = "forge-limited"


class Unsettled(ForgeError):
    """The comment was written by others each time we had written it."""

    code = "forge-unsettled"


class Unsure(ForgeError):
    """A write was not taken for now, or nobody knows: how things stand is to be read again.

    `after` is how many seconds the forge asks to wait before that.
    """

    code = "forge-unsure"

    def __init__(self, message: str, *, after: float = 0.0) -> None:
        super().__init__(message)
        self.after = after
