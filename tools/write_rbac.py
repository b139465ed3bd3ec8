"""Write `deploy/rbac/` from the controller table: `python tools/write_rbac.py`.

A test holds the checked-in files to what this writes.
"""

from __future__ import annotations

from pathlib import Path

from gitops_ocm.operator.rbac_files import rbac_files

FOLDER = Path(__file__).resolve().parent.parent / "deploy" / "rbac"


def main() -> None:
    """Write every file."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, text in rbac_files().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
