"""All histories (see `semantics`)."""

from __future__ import annotations

from tests.hubs.semantics import Step
from tests.hubs.semantics_apply import APPLIES
from tests.hubs.semantics_general import GENERAL

CASES: dict[str, list[Step]] = {**GENERAL, **APPLIES}
