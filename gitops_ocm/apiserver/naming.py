"""What the server makes up by chance: uids, and the ends of generated names. Tests hand in their own."""

from __future__ import annotations

import random
import uuid

SUFFIX_ALPHABET = "bcdfghjklmnpqrstvwxz2456789"
"""No vowels, so that no words come of it; the letters Kubernetes uses."""


def new_uid() -> str:
    """A random UUID."""
    return str(uuid.uuid4())


def new_suffix() -> str:
    """The five characters that complete a generateName."""
    return "".join(random.choices(SUFFIX_ALPHABET, k=5))  # noqa: S311 - a name, not a secret
