"""Waiting for one's own writes: a key is worked on again only once the caches show what it wrote.

Without this a reconciler acts on what it knew before its last write, creates again what it just
created, and overspends whatever budget it keeps. The runner says what was written (`Expectation`);
here it is checked off as the watches move on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from gitops_ocm.decide.contract import Delete, Emit, MergePatch, Result, Side, is_kept
from gitops_ocm.live.cache import Cache
from gitops_ocm.live.table import version_of
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of

Owner = tuple[str, Ref]
"""A controller's name and its key."""


@dataclass(frozen=True, slots=True)
class Expectation:
    """What a cache has to show: a version reached or, for a deletion, the object `uid` gone."""

    side: Side
    ref: Ref
    version: str = ""
    gone_uid: str = ""

    def met(self, caches: Mapping[Side, Cache]) -> bool:
        """Whether the cache shows it, or never will because nobody watches."""
        cache = caches[self.side]
        if not cache.watching(self.ref.of, self.ref.namespace, self.ref.name):
            return True
        if self.version:
            return cache.has_seen(self.ref.of, self.ref.namespace, self.version, self.ref.name)
        meta = (cache.get(self.ref) or {}).get("metadata") or {}
        return meta.get("uid") != self.gone_uid or bool(meta.get("deletionTimestamp"))


def expectation(result: Result, before: Object | None) -> Expectation | None:
    """What a successful write will show as; `before` is the object as the cache had it."""
    write = result.write
    if not result.ok or isinstance(write, Emit) or not is_kept(write):
        return None
    if isinstance(write, Delete):
        left = (result.obj or before or {}).get("metadata") or {}
        if left.get("deletionTimestamp") and left.get("finalizers"):
            return Expectation(write.side, write.ref, version=str(left.get("resourceVersion", "")))
        return Expectation(write.side, write.ref, gone_uid=left["uid"]) if left.get("uid") else None
    if result.obj is None:
        return None
    ref = write.ref if isinstance(write, MergePatch) else ref_of(result.obj)
    return Expectation(write.side, ref, version=version_of(result.obj)) if version_of(result.obj) else None


class Holds:
    """Who waits for what. `release` is called when the last thing an owner waits for was seen."""

    def __init__(self, caches: Mapping[Side, Cache], release: Callable[[Owner], None]) -> None:
        self._caches = caches
        self._release = release
        self._waiting: dict[Owner, set[Expectation]] = {}
        self._owners: dict[tuple[Side, Ref], dict[Expectation, set[Owner]]] = {}

    def wait_for(self, owner: Owner, expectations: Iterable[Expectation]) -> bool:
        """Note what `owner` waits for; False if all of it can be seen already."""
        unmet = {e for e in expectations if not e.met(self._caches)}
        if not unmet:
            return False
        self._waiting.setdefault(owner, set()).update(unmet)
        for expectation in unmet:
            about = self._owners.setdefault((expectation.side, expectation.ref), {})
            about.setdefault(expectation, set()).add(owner)
        return True

    def changed(self, side: Side, ref: Ref) -> None:
        """An object has changed in a cache: check off what that shows."""
        about = self._owners.get((side, ref))
        if about is None:
            return
        for expectation in [e for e in about if e.met(self._caches)]:
            for owner in about.pop(expectation):
                left = self._waiting[owner]
                left.discard(expectation)
                if not left:
                    del self._waiting[owner]
                    self._release(owner)
        if not about:
            del self._owners[side, ref]

    def progress(self, side: Side, kind: Kind) -> None:
        """A watch has moved on otherwise (a list, a bookmark): check everything of that kind."""
        for at, ref in [k for k in self._owners if k[0] is side and k[1].of == kind]:
            self.changed(at, ref)

    def give_up(self, owner: Owner) -> tuple[Expectation, ...]:
        """Stop waiting; answers with what was never seen."""
        left = self._waiting.pop(owner, set())
        for expectation in left:
            key = (expectation.side, expectation.ref)
            about = self._owners[key]
            about[expectation].discard(owner)
            if not about[expectation]:
                del about[expectation]
            if not about:
                del self._owners[key]
        return tuple(sorted(left, key=lambda e: (e.side, e.ref)))
