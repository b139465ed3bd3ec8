"""Write `deploy/crds/` from the models: `python tools/write_crds.py`.

A test holds the checked-in files to what this writes. Files of kinds that are gone are removed.
"""

from __future__ import annotations

from pathlib import Path

from gitops_ocm.api.crd import crd_files

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "crds"


def main() -> None:
    """Write every file and remove the others."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    files = crd_files()
    for old in FOLDER.glob("*.yaml"):
        if old.name not in files:
            old.unlink()
    for name, text in files.items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
