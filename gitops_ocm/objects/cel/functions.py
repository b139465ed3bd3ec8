"""What each overload does, by its name: see `declarations` for which there are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from gitops_ocm.objects.cel import functions_kubernetes, functions_language, functions_lists, functions_text

IMPLEMENTATIONS: Mapping[str, Callable[..., Any]] = {
    **functions_language.IMPLEMENTATIONS,
    **functions_text.IMPLEMENTATIONS,
    **functions_lists.IMPLEMENTATIONS,
    **functions_kubernetes.IMPLEMENTATIONS,
}
