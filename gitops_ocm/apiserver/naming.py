"""Names: uids and the ends of generated names, made up by chance, and names that are taken."""

from __future__ import annotations

import random
import uuid

from gitops_ocm.objects.catalog import Served
from gitops_ocm.objects.faults import ApiError, already_exists
from gitops_ocm.objects.ref import Object

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels, so that no words come of it; the letters Kubernetes uses."""


def new_uid() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def new_suffix() -> str:
    """The five characters that complete a generateName."""
    return "".join(random.choices(SUFFIX_ALPHABET, k=5))  # noqa: S311 - a name, not a secret


def taken(served: Served, have: Object) -> ApiError:
    """The 409 for a creation under the name of `have`."""
    error = already_exists(served.resource.group, served.resource.plural, have["metadata"]["name"])
    if not have["metadata"].get("deletionTimestamp"):
        return error
    return ApiError("AlreadyExists", f"object is being deleted: {error.message}", details=error.details)
