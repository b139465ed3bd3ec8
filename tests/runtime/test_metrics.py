"""Metrics can be read, and the backoff keeps its bounds."""

from __future__ import annotations

import random

from gitops_ocm.runtime.backoff import Backoff
from gitops_ocm.runtime.clock import SystemClock
from gitops_ocm.runtime.metrics import RECONCILES, render


def test_metrics_render_in_prometheus_form() -> None:
    """A counter that went up shows in the text."""
    RECONCILES.labels("placement", "success").inc()
    assert b'controller_runtime_reconcile_total{controller="placement",result="success"} ' in render()


def test_backoff_doubles_within_its_bounds() -> None:
    """Waits double, jittered by at most half, up to the cap; a reset starts anew."""
    backoff = Backoff(base=1, cap=8, rng=random.Random(1))
    for nominal in (1, 2, 4, 8, 8):
        assert nominal * 0.5 <= backoff.next() <= nominal * 1.5
    backoff.reset()
    assert backoff.next() <= 1.5


def test_system_clock_is_in_utc() -> None:
    """Wall time carries its zone."""
    assert SystemClock().now().utcoffset() is not None
