"""The one table: every reconciler with what wakes it, what it reads and what it writes.

Two interpreters read it, `live.runner` and `simulate.run`; the RBAC in `deploy/` comes from it too.
`group` is what `--controllers` and `--agents` pick by.
"""

from __future__ import annotations

from collections.abc import Iterable

from gitops_ocm.decide.addon_table import addon_rows
from gitops_ocm.decide.contract import Controller
from gitops_ocm.decide.hub_table import placement_rows, registration_rows, work_rows
from gitops_ocm.decide.settings import AgentSettings, HubSettings

LOCKS = {
    "registration": "registration-controller-lock",
    "placement": "placement-lock",
    "work": "work-manager-lock",
    "addon": "manager-lock",
    "sync": "gitops-ocm-sync-lock",
}
"""The lease of each of the hub's groups: OCM's, where it has a controller for the same, so that never both
work. The sync is no row of the table, and needs one all the same."""


def hub_controllers(settings: HubSettings | None = None) -> tuple[Controller, ...]:
    """All rows of the hub: groups `registration`, `placement`, `work`, `addon`."""
    settings = settings or HubSettings()
    return (
        *registration_rows(settings),
        *placement_rows(settings),
        *work_rows(settings),
        *addon_rows(settings),
    )


def agent_controllers(settings: AgentSettings) -> tuple[Controller, ...]:
    """All rows of one cluster's agent: groups `registration` and `work`."""
    from gitops_ocm.decide import agent_table  # which no hub needs

    return (*agent_table.registration_rows(settings), *agent_table.work_rows(settings))


def in_groups(rows: Iterable[Controller], groups: Iterable[str]) -> tuple[Controller, ...]:
    """The rows of these groups."""
    wanted = frozenset(groups)
    return tuple(row for row in rows if row.group in wanted)
