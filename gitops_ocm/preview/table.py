"""The hub's rows of the controller table that take part in a preview.

Those that people do not look at here, and that time alone would move (leases), are left out.
"""

from __future__ import annotations

from gitops_ocm.decide.contract import Controller
from gitops_ocm.decide.controllers import hub_controllers
from gitops_ocm.decide.settings import HubSettings

LEFT_OUT = frozenset({"cluster-availability", "cluster-clock", "csr-approval"})
"""Rows that go by leases and certificates: clusters are assumed to stay what they are."""
ACCEPTANCE = "cluster-acceptance"
FEATURES = "addon-features"
SETTLED = frozenset(
    {ACCEPTANCE, "shared-cluster-roles", "cluster-cleanup", "managed-namespaces", "placement"}
)
"""Rows whose work on what is there already is done, or of no interest: only a change wakes them."""


def rows(settings: HubSettings) -> tuple[Controller, ...]:
    """The hub's rows that take part in a preview."""
    return tuple(row for row in hub_controllers(settings) if row.name not in LEFT_OUT)
