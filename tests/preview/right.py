"""Holds many previews to what happens: `python -m tests.preview.right --seeds 305 --hub embedded`.

The tests' own cases, in memory (a fifth of a second each) or on the embedded hub (three seconds each).
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gitops_ocm.runtime.log import configure
from tests.preview.changes import drawn
from tests.preview.embedded import decided_alone, played_on_hub
from tests.preview.truth import play


def untrue(seed: int, hub: str) -> list[str]:
    """What the preview of a case has wrong."""
    case = drawn(seed)
    if hub == "memory":
        return play(case).untrue()
    with TemporaryDirectory() as directory:
        return played_on_hub(decided_alone(case), Path(directory)).untrue()


def main() -> int:
    """Tell of each case that differs, and how many do; 1 if any does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=305, help="how many cases")
    parser.add_argument("--first", type=int, default=0, help="the first one's number")
    parser.add_argument("--hub", choices=("memory", "embedded"), default="memory")
    options = parser.parse_args()
    configure(level="error")
    wrong = 0
    for seed in range(options.first, options.first + options.seeds):
        if found := untrue(seed, options.hub):
            wrong += 1
            print(f"{seed}:", *found, sep="\n    ", flush=True)
    print(f"{options.seeds} changes, of which the preview had {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
