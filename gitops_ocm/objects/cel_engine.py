"""The CEL evaluator, without its command line.

Importing `cel` imports that too, and with it what draws on terminals: 12 MiB and a fifth of a second for
every process that never shows a prompt. Whoever evaluates CEL takes `cel` from here.
"""

from __future__ import annotations

import sys
from types import ModuleType

sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))

import cel as cel  # noqa: E402 - after what it would import is in its place
