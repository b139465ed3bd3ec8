"""What the hub's watches have told of the objects that are a HubSync's.

`plan.compute` reads it as a mapping of `Live`. It keeps no objects, only what a plan needs: 5,000 take a
few MiB. Whether an object is ours is judged here, where its managedFields are at hand (`sync.marks.ours`):
one that merely carries the label is as good as not there.

Whether an object is in sync is judged when it is seen. Right after our own apply it is, and the
answer's resourceVersion is all that is kept. When it changes later, everything Git wants must still be
so (`objects.diff.covers`). Where that is not enough, because the server writes a value differently from
Git (`1000m` as `1`), the digest of the fields we own tells: it is taken from the answer to the next
apply, so a normalised value costs one apply that changes nothing, once.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass, replace

from gitops_ocm.api.fleet import DIGEST_CHARS, sync_field_manager
from gitops_ocm.objects.canonical import digest
from gitops_ocm.objects.diff import covers
from gitops_ocm.objects.ownership import extract, fields_owned_by
from gitops_ocm.objects.ref import Kind, Object, Ref, ref_of
from gitops_ocm.plan.changes import Live
from gitops_ocm.plan.taints import has_taints
from gitops_ocm.plan.wanted import Wanted
from gitops_ocm.sync.marks import live_of


@dataclass(slots=True)
class _Record:
    live: Live
    version: str
    settled: str = ""
    """Digest of our fields in the answer to an apply, where `covers` alone does not tell."""


class Observed(Mapping[Ref, Live]):
    """Live objects by identity, and which of them are not as Git wants them.

    `owner` is the HubSync's name. `changed` is called when there is news a plan should know: a wanted
    object drifted, vanished, or came right again, or one that Git does not want turned up.
    """

    def __init__(self, owner: str, changed: Callable[[], None]) -> None:
        self._owner = owner
        self._manager = sync_field_manager(owner)
        self._changed = changed
        self._records: dict[Ref, _Record] = {}
        self._wanted: Mapping[Ref, Wanted] = {}
        self._off: set[Ref] = set()
        self._news: set[Ref] = set()
        self._removed: set[str] = set()
        """UIDs of what we deleted or let go since the last plan: a list begun before may still have them."""

    def __getitem__(self, ref: Ref) -> Live:
        return self._records[ref].live

    def __iter__(self) -> Iterator[Ref]:
        return iter(self._records)

    def __len__(self) -> int:
        return len(self._records)

    @property
    def off(self) -> frozenset[Ref]:
        """Wanted objects that are known not to be as Git wants them, or to be gone."""
        return frozenset(self._off)

    @property
    def news(self) -> bool:
        """Whether a plan made now might differ from the last one."""
        return bool(self._news)

    def counts(self) -> Mapping[Kind, int]:
        """How many objects there are of each kind; those that are being deleted do not count."""
        found = Counter(ref[:2] for ref, record in self._records.items() if not record.live.terminating)
        return {Kind(*kind): count for kind, count in found.items()}

    def lives(self) -> dict[Ref, Live]:
        """What is known now, as a plan reads it: what comes later does not change it."""
        return {ref: record.live for ref, record in self._records.items()}

    def planned(self) -> None:
        """A plan is being made of what is known now; every list that was begun before has come."""
        self._news.clear()
        self._removed.clear()

    def version(self, ref: Ref) -> str:
        """The resourceVersion an object was last seen at; `""` for one that was not."""
        record = self._records.get(ref)
        return record.version if record else ""

    def expect(self, wanted: Mapping[Ref, Wanted]) -> None:
        """What Git wants from now on. What it no longer wants is no longer judged."""
        self._wanted = wanted
        self._off &= wanted.keys()

    def seen(self, obj: Object) -> None:
        """An object as it is now on the hub."""
        ref = ref_of(obj)
        version = str((obj.get("metadata") or {}).get("resourceVersion", ""))
        record = self._records.get(ref)
        if record is not None and _not_newer(version, record.version):
            return
        live = live_of(obj, self._owner, in_sync=True)
        if not live.ours:
            self.gone(ref)
            return
        if live.uid in self._removed and not live.terminating:
            return
        wanted = self._wanted.get(ref)
        if wanted is not None and not self._as_wanted(obj, live, wanted, record):
            live = replace(live, in_sync=False)
        self._records[ref] = _Record(live, version, record.settled if record else "")
        if wanted is None and record is None and not live.terminating:
            self._tell(ref)
        self._judge(ref, off=not live.in_sync)

    def gone(self, ref: Ref) -> None:
        """An object that is no longer there, or no longer ours."""
        if self._records.pop(ref, None) is not None:
            self._judge(ref, off=ref in self._wanted)

    def only(self, kind: Kind, present: Collection[Ref], known: Callable[[str], bool]) -> None:
        """These are all objects of a kind that there are: others are gone.

        `known` says of a resourceVersion whether who lists them has seen that far; what was written
        later is not in question.
        """
        missing = [ref for ref in self._records if ref.of == kind and ref not in present]
        for ref in missing:
            if known(self._records[ref].version):
                self.gone(ref)

    def has_all(self, wanted: Mapping[Ref, Wanted]) -> bool:
        """Whether every one of `wanted` is there."""
        return self._records.keys() >= wanted.keys()

    def applied(self, obj: Object) -> None:
        """The answer to our own apply: whatever it says is how Git's wish looks on this hub."""
        ref = ref_of(obj)
        version = str((obj.get("metadata") or {}).get("resourceVersion", ""))
        record = self._records.get(ref)
        if record is not None and record.version != version and _not_newer(version, record.version):
            # Somebody changed it between our apply and its answer: what the watch said counts.
            return
        settled = ""
        if record is not None and (record.settled or not record.live.in_sync):
            wanted = self._wanted.get(ref)
            settled = "" if wanted is None or covers(wanted.obj, obj) else self._our_digest(obj)
        live = live_of(obj, self._owner, in_sync=True)
        self._records[ref] = _Record(live, version, settled)
        self._removed.discard(live.uid)
        self._off.discard(ref)
        self._news.discard(ref)

    def deleted(self, ref: Ref) -> None:
        """Our own delete was accepted, or our marks are off it."""
        record = self._records.pop(ref, None)
        if record is not None and record.live.uid:
            self._removed.add(record.live.uid)
        self._off.discard(ref)
        self._news.discard(ref)

    def _as_wanted(self, obj: Object, live: Live, wanted: Wanted, record: _Record | None) -> bool:
        if not live.commit or live.digest != wanted.digest[:DIGEST_CHARS]:
            return False
        if has_taints(wanted.obj) and not live.taints:
            return (
                False  # the hub's controller wrote the list: only while we hold it, it can leave with Git's
            )
        if record is not None and record.settled:
            return record.settled == self._our_digest(obj)
        return covers(wanted.obj, obj)

    def _our_digest(self, obj: Object) -> str:
        return digest(extract(obj, fields_owned_by(obj, self._manager)))

    def _judge(self, ref: Ref, *, off: bool) -> None:
        if off == (ref in self._off):
            return
        if off:
            self._off.add(ref)
        else:
            self._off.discard(ref)
        self._tell(ref)

    def _tell(self, ref: Ref) -> None:
        self._news.add(ref)
        self._changed()


def _not_newer(version: str, known: str) -> bool:
    """Whether `version` tells nothing new. Versions are decimal numbers on every Kubernetes hub."""
    if version == known:
        return True
    return version.isdecimal() and known.isdecimal() and int(version) < int(known)
