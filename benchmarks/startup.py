"""Start-up times as ratios: help and import against `import torch`, and the demo before and after kernels are compiled.

    python -m benchmarks.startup [--demo]

Every command runs in a process of its own. Cold means an empty folder for numba's compiled kernels; CPU time of the
process and its children is printed beside wall time, since other programs slow down the latter only.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import time

COMMANDS = {
    "import torch": ["-c", "import torch"],
    "import loihi_onespike": ["-c", "import loihi_onespike"],
    "onespike --help": ["-m", "loihi_onespike", "--help"],
}


def measured(arguments: list[str], cache: str) -> tuple[float, float]:
    """Wall and CPU seconds of a Python process that keeps its compiled kernels in a folder."""
    before, started = os.times(), time.perf_counter()
    environment = {**os.environ, "NUMBA_CACHE_DIR": cache}
    subprocess.run([sys.executable, *arguments], env=environment, check=True, capture_output=True)
    after = os.times()
    return time.perf_counter() - started, after.children_user - before.children_user


def main() -> None:
    """Print a line per command."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--demo", action="store_true", help="the demo too, cold and warm")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        torch_seconds = 0.0
        for name, arguments in COMMANDS.items():
            measured(arguments, folder)  # files into the memory of the operating system
            wall, cpu = measured(arguments, folder)
            torch_seconds = torch_seconds or wall
            print(f"{name:24} {wall:6.2f} s wall, {cpu:6.2f} s CPU, {wall / torch_seconds:5.2f} of import torch")
        if args.demo:
            demo = ["-m", "loihi_onespike", "demo", "--out", os.path.join(folder, "demo")]
            for name in ("demo, cold", "demo, warm"):
                wall, cpu = measured(demo, os.path.join(folder, "kernels"))
                print(f"{name:24} {wall:6.1f} s wall, {cpu:6.1f} s CPU")


if __name__ == "__main__":
    main()
