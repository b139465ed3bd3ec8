"""Coverage-guided fuzzing of the targets with atheris: `make fuzz SECONDS=60 TARGET=yaml`.

Begins with the saved inputs. A find ends the run of its target, is shown, and is left in `build/fuzz/finds`; put
into `corpus.json` it is a test from then on. Atheris is not installed everywhere, so nothing else needs it.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from hashlib import sha1
from pathlib import Path

from tests.fuzz.corpus import saved

FINDS = Path("build/fuzz/finds")
MAX_BYTES = 4096


def main(names: list[str], seconds: int) -> int:
    """Fuzz each target in a process of its own for so long; the number of those with a find."""
    from tests.fuzz.targets import TARGETS

    FINDS.mkdir(parents=True, exist_ok=True)
    failed = 0
    for name in names or list(TARGETS):
        with tempfile.TemporaryDirectory() as seeds:
            for number, data in enumerate(saved(name)):
                Path(seeds, str(number)).write_bytes(data)
            prefix = f"{FINDS}/{name.replace(' ', '-')}-"
            options = [f"-max_total_time={seconds}", f"-max_len={MAX_BYTES}", f"-artifact_prefix={prefix}"]
            command = [sys.executable, "-m", "tests.fuzz.explore", "--target", name, *options, seeds]
            found = subprocess.run(command, check=False).returncode
        print(f"{name}: {'a find' if found else 'nothing found'}", flush=True)
        failed += bool(found)
    return failed


def fuzz(name: str, arguments: list[str]) -> None:
    """Fuzz one target in this process, which ends with it."""
    import atheris

    with atheris.instrument_imports(include=["gitops_ocm.apiserver", "gitops_ocm.objects"]):
        from tests.fuzz.targets import run

    def keeping(data: bytes) -> None:
        try:
            run(name, data)
        except Exception:
            # Not every build of atheris writes down what an exception came of.
            Path(FINDS, f"{name.replace(' ', '-')}-{sha1(data).hexdigest()}").write_bytes(data)
            raise

    atheris.Setup([sys.argv[0], *arguments], keeping)
    atheris.Fuzz()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--target"]:
        fuzz(sys.argv[2], sys.argv[3:])
    else:
        sys.exit(main([name for name in sys.argv[2:] if name], int(sys.argv[1])))
