"""Commands of SLURM for tests: jobs are processes of this machine, and some of them vanish.

A folder of such commands stands first on the PATH. `lost` in the folder lists numbers of array tasks that are never
started, and that the queue does not list, like jobs of a controller that lost them. The accounting knows no job at all.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

COMMANDS = ("sbatch", "srun", "sacct", "squeue", "scancel")


def install(folder: Path, lost: Iterable[int] = ()) -> str:
    """Write the commands into a folder; returns the PATH with which they are found.

    Args:
        folder: a new folder.
        lost: numbers of the tasks of an array that vanish.
    """
    folder.mkdir()
    for name in COMMANDS:
        script = folder / name
        script.write_text(f'#!/bin/sh\nexec {sys.executable} {__file__} {name} "$@"\n')
        script.chmod(0o755)
    lose(folder, lost)
    return f"{folder}{os.pathsep}{os.environ['PATH']}"


def lose(folder: Path, lost: Iterable[int]) -> None:
    """Say which tasks of the arrays that are submitted from now on vanish."""
    (folder / "lost").write_text(" ".join(map(str, lost)))


def _sbatch(folder: Path, script: str) -> None:
    text = Path(script).read_text()
    number = str(len(list(folder.glob("job.*"))) + 1)
    (folder / f"job.{number}").touch()
    options = dict(
        line[10:].split("=", 1) for line in text.splitlines() if line.startswith("#SBATCH --") and "=" in line
    )
    last = options["array"].split("%")[0].rpartition("-")[2] if "array" in options else None
    lost = (folder / "lost").read_text().split()
    for task in ["0"] if last is None else map(str, range(int(last) + 1)):
        if task in lost:
            continue
        queued = folder / (f"queued.{number}" if last is None else f"queued.{number}_{task}")
        queued.touch()
        environment = {**os.environ, "SLURM_JOB_ID": number, "SLURM_NTASKS": "1", "SLURM_PROCID": "0"}
        if last is not None:
            environment |= {"SLURM_ARRAY_JOB_ID": number, "SLURM_ARRAY_TASK_ID": task}
        subprocess.Popen(
            ["sh", "-c", 'bash "$0"; rm "$1"', script, queued], env=environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
    print(f"Submitted batch job {number}")


def _srun(arguments: list[str]) -> int:
    command = arguments[next(i for i, word in enumerate(arguments) if word.endswith("python") or "/python" in word) :]
    return subprocess.run(command, check=False).returncode


def main() -> int:
    """One of the commands, by its name."""
    name, *arguments = sys.argv[1:]
    folder = Path(os.environ["PATH"].split(os.pathsep)[0])
    match name:
        case "sbatch":
            _sbatch(folder, arguments[-1])
        case "srun":
            return _srun(arguments)
        case "sacct":
            print("JobID|State|NodeList")
        case "squeue":
            found = sorted(path.name.removeprefix("queued.") for path in folder.glob("queued.*"))
            if not found:
                print("slurm_load_jobs error: Invalid job id specified", file=sys.stderr)
                return 1
            print("\n".join(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
