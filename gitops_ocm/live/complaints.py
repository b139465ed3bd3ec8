"""Saying that something keeps failing without saying it each time.

The first failure of a key is told, then the 2nd, 4th, 8th … of the same error, and a new error at
once. What heals is told once. One hub that is away makes one line, not one for each key.
"""

from __future__ import annotations

from gitops_ocm.errors import GitopsError
from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.live.hold import Owner
from gitops_ocm.runtime.log import get_logger

_log = get_logger("controller")


class Complaints:
    """Failures by key, and what of them to log."""

    def __init__(self) -> None:
        self._failing: dict[Owner, tuple[str, int]] = {}
        self._unreachable: dict[str, int] = {}
        self._repeated: dict[Owner, int] = {}

    def failed(self, owner: Owner, error: GitopsError, *, wait: float) -> None:
        """A key failed and is tried again in `wait` seconds."""
        controller, key = owner
        if isinstance(error, Unreachable):
            self._unreachable[controller] = self._unreachable.get(controller, 0) + 1
            if self._unreachable[controller] == 1:
                _log.warning("API server unreachable, keys wait", controller=controller, error=error)
            return
        text, count = self._failing.get(owner, ("", 0))
        count = count + 1 if text == error.message else 1
        self._failing[owner] = (error.message, count)
        if count & (count - 1) == 0:
            _log.warning(
                "reconcile failed", controller=controller, key=key, error=error, times=count,
                again_in=round(wait, 3),
            )  # fmt: skip

    def crashed(self, owner: Owner, error: Exception, *, wait: float) -> None:
        """A reconciler raised what is no error of ours: a bug, told with its traceback."""
        controller, key = owner
        text, count = self._failing.get(owner, ("", 0))
        said = f"{type(error).__name__}: {error}"
        count = count + 1 if text == said else 1
        self._failing[owner] = (said, count)
        if count & (count - 1) == 0:
            _log.error(
                "reconciler crashed", controller=controller, key=key, times=count, again_in=round(wait, 3),
                exc_info=error,
            )  # fmt: skip

    def repeated(self, owner: Owner, times: int, *, wait: float) -> None:
        """A key would write what it has written `times` times already: something undoes it."""
        controller, key = owner
        if times & (times - 1) == 0 and self._repeated.get(owner) != times:
            self._repeated[owner] = times
            _log.warning(
                "the same write does not stick, slowing down", controller=controller, key=key, times=times,
                again_in=round(wait, 1),
                hint="look for a webhook or another controller that changes it back",
            )  # fmt: skip

    def went_well(self, owner: Owner) -> None:
        """A key went well: forget its failures."""
        controller, key = owner
        if self._failing.pop(owner, None) is not None:
            _log.info("reconcile succeeds again", controller=controller, key=key)
        if count := self._unreachable.pop(controller, 0):
            _log.info("API server is back", controller=controller, failures=count)

    @property
    def failing(self) -> int:
        """How many keys fail for a reason of their own."""
        return len(self._failing)
