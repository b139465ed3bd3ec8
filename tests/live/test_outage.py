"""One server that is away makes one line."""

from __future__ import annotations

from structlog.testing import capture_logs

from gitops_ocm.decide.contract import Side
from gitops_ocm.kube.cluster import Unreachable
from gitops_ocm.live.outage import Outage
from gitops_ocm.objects.ref import Kind

PODS, NODES = Kind("", "Pod"), Kind("", "Node")
AWAY = Unreachable("https://hub:6443 cannot be reached: connection refused")


def test_told_once_for_all_caches_of_a_server() -> None:
    """The first watch that is lost is told and the last that is back; another server has its own story."""
    one, other = (Outage(Side.HUB, "https://hub:6443") for _ in range(2))
    spoke = Outage(Side.SPOKE, "https://spoke:6443")
    with capture_logs() as logs:
        for outage, kind in ((one, PODS), (one, NODES), (other, PODS), (spoke, PODS), (one, PODS)):
            outage.lost(kind, AWAY)
        one.back(PODS)
        one.back(NODES)
        spoke.back(PODS)
        other.back(NODES)  # was never lost
        other.back(PODS)
    assert [(line["event"].partition(",")[0], line["side"]) for line in logs] == [
        ("API server unreachable", "hub"),
        ("API server unreachable", "spoke"),
        ("API server is back", "spoke"),
        ("API server is back", "hub"),
    ]


def test_a_cache_that_ends_holds_no_grudge() -> None:
    """What a cache had lost when it was closed keeps nobody from telling that the server is back."""
    one, other = (Outage(Side.HUB, "https://hub2:6443") for _ in range(2))
    with capture_logs() as logs:
        one.lost(PODS, AWAY)
        other.lost(PODS, AWAY)
        one.close()
        other.back(PODS)
        other.lost(PODS, AWAY)
    assert [line["log_level"] for line in logs] == ["warning", "info", "warning"]
