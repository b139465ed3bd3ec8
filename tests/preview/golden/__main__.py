"""`python -m tests.preview.golden [CASE ...]`: write anew what pull requests look like in each format.

Read what changed (`git diff`) as a reviewer would before it is committed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gitops_ocm.preview.formats import Format, render
from tests.preview.golden.cases import CASES
from tests.preview.golden.pages import bare
from tests.preview.golden.stage import ARTIFACT, WIDTH, Stage, golden


def main(names: list[str]) -> None:
    """Write the files of these cases; of all, if none is named."""
    with TemporaryDirectory() as folder:
        stage = Stage(Path(folder) / "fleet")
        for case in CASES:
            if names and case.name not in names:
                continue
            found = stage.preview(case)
            for wanted in Format:
                path = golden(case, wanted)
                path.parent.mkdir(exist_ok=True)
                shown = render(found, wanted, width=WIDTH, artifact=ARTIFACT)
                path.write_text(bare(shown) if wanted is Format.HTML else shown, "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
