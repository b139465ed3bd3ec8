"""What an operator knows of a Klusterlet's ways to its hub and to its cluster, as objects of `LOCAL_GROUP`.

`operator.connection` measures: reads the Secrets, asks the hub what their holders may do. Here is how a
measurement is written down, and what condition it makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from gitops_ocm.decide.contract import LOCAL_GROUP, View
from gitops_ocm.decide.operators.state import Verdict
from gitops_ocm.objects.ref import Kind, Object, Ref

CONNECTION = Kind(LOCAL_GROUP, "HubConnection")
BOOTSTRAP_FUNCTIONAL, HUB_FUNCTIONAL = "BootstrapSecretFunctional", "HubKubeConfigSecretFunctional"
HUB_SECRET_MISSING = "HubKubeConfigSecretMissing"  # noqa: S105 -- a reason


@dataclass(frozen=True)
class Connection:
    """How it stands: a reason and a message for each of the two Secrets.

    `cluster_name` is what the hub's Secret says; `unreachable` why a hosted Klusterlet's cluster is not.
    """

    bootstrap: str
    hub: str
    message: str = ""
    cluster_name: str = ""
    unreachable: str = ""

    @property
    def degraded(self) -> bool:
        """Whether the agents cannot work with the hub."""
        return self.hub != HUB_FUNCTIONAL

    def verdict(self) -> Verdict:
        """The condition HubConnectionDegraded."""
        if not self.degraded:
            return Verdict("HubConnectionDegraded", False, "HubConnectionFunctional", self.message)
        return Verdict("HubConnectionDegraded", True, f"{self.bootstrap},{self.hub}", self.message)


def as_object(klusterlet: str, connection: Connection) -> Object:
    """The measurement as the cache holds it."""
    return {
        "apiVersion": f"{LOCAL_GROUP}/v1",
        "kind": CONNECTION.kind,
        "metadata": {"name": klusterlet},
        "status": {
            "bootstrap": connection.bootstrap,
            "hub": connection.hub,
            "message": connection.message,
            "clusterName": connection.cluster_name,
            "unreachable": connection.unreachable,
        },
    }


def connection_of(view: View, klusterlet: str) -> Connection | None:
    """What was measured last; None where nothing was yet."""
    found = view.get(Ref(*CONNECTION, "", klusterlet))
    if found is None:
        return None
    status: Mapping[str, str] = found["status"]
    return Connection(
        status["bootstrap"], status["hub"], status["message"], status["clusterName"], status["unreachable"]
    )
