"""Write an add-on for Open Cluster Management in Python: this package is the public surface for that.

    from gitops_ocm import addon

    class Settings(addon.Config):
        greeting: str = "hello"

    def manifests(request: addon.Request[Settings]) -> list[addon.Manifest]:
        return [...]

    hello = addon.Addon("hello", manifests, config=Settings, health=addon.workloads())

    if __name__ == "__main__":
        addon.main(hello)

An `Addon` says what its agent is made of on one cluster, what may be set, how its health is judged and what
it may do on the hub. `main` makes a program of it, `run` a manager that works until it is told to stop,
`manage` one inside a program of yours, and `rights` lists what the manager has to be allowed. Where the
add-on is installed and how changes roll out is the business of the hub's add-on manager, by the
ClusterManagementAddOn.
"""

from __future__ import annotations

from gitops_ocm.addon.command import main
from gitops_ocm.addon.definition import Addon, Config, HubAccess, Manifest, Request, Rule, Signer
from gitops_ocm.addon.folder import folder
from gitops_ocm.addon.health import applied, checked, lease, reported_by_itself, workloads
from gitops_ocm.addon.manager import manage, rights, run
from gitops_ocm.decide.addons.agent import AgentFailed as AddonError
from gitops_ocm.decide.addons.probes import Result

__all__ = [
    "Addon",
    "AddonError",
    "Config",
    "HubAccess",
    "Manifest",
    "Request",
    "Result",
    "Rule",
    "Signer",
    "applied",
    "checked",
    "folder",
    "lease",
    "main",
    "manage",
    "reported_by_itself",
    "rights",
    "run",
    "workloads",
]
