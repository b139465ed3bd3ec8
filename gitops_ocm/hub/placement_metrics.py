"""The metrics of OCM's placement controller, by its names: dashboards made for it read ours.

How long whole decisions and their writes take, `live.controller` knows (`runtime.metrics.STAGES`).
"""

from __future__ import annotations

from functools import cache

from prometheus_client import Histogram
from prometheus_client.context_managers import Timer

from gitops_ocm.decide.placement.phases import EXPRESSIONS
from gitops_ocm.runtime.metrics import CEL_SECONDS, PLUGIN_SECONDS, SCHEDULER


def measure(kind: str, name: str) -> Timer:
    """A part of a decision (`decide.placement.phases`)."""
    # An add-on's score is of one plugin, however many names people think of.
    return _histogram(kind, name.partition("/")[0]).time()


@cache
def _histogram(kind: str, plugin: str) -> Histogram:
    if kind == EXPRESSIONS:
        return CEL_SECONDS.labels(SCHEDULER)
    return PLUGIN_SECONDS.labels(SCHEDULER, kind, plugin)
