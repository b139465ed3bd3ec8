"""One object that Git wants to exist, with where it was written.

`desired.compile` makes these, `plan.compute` holds them against the cluster. It stands below both
so that neither knows the other.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gitops_ocm.errors import Location
from gitops_ocm.objects.ref import Object, Ref


@dataclass(frozen=True, slots=True)
class Wanted:
    """A desired object.

    `obj` is what will be applied, without provenance; `digest` is the lower-case hex SHA-256 of its
    canonical JSON (sorted keys, no spaces), so equal digests mean nothing to do. `origin` is left
    out of equality: the same object in another file is the same wish (a move).
    """

    ref: Ref
    obj: Object
    digest: str
    wave: int = 0
    origin: Location = field(default_factory=Location, compare=False)
