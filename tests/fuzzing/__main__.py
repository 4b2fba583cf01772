"""`python -m tests.fuzzing`: fuzz all kinds of files for some time, or repeat one mutation."""

from __future__ import annotations

import argparse
import sys
import time

from tests.fuzzing import networks
from tests.fuzzing.run import findings, fuzz, read_in_child, rounds, table
from tests.fuzzing.seeds import KINDS


def main() -> int:
    """Exit code 1 where a mutation was read with a crash, a hang, too much memory or an error without a type."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzzing", description=main.__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="how long to fuzz all kinds (default 60)")
    parser.add_argument("--kind", choices=sorted([*KINDS, networks.KIND]), help="one kind only, --count of it")
    parser.add_argument("--first", type=int, default=0, help="number of the first mutation (default 0)")
    parser.add_argument("--count", type=int, default=1000, help="mutations of the kind (default 1000)")
    parser.add_argument("--child", nargs=4, metavar=("KIND", "FIRST", "COUNT", "SECONDS"), help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.child:
        read_in_child(given.child[0], int(given.child[1]), int(given.child[2]), float(given.child[3]))
        return 0
    start, wrong = time.monotonic(), ""
    fuzzed = [[fuzz(given.kind, given.first, given.count)]] if given.kind else rounds(given.seconds, given.first)
    for tallies in fuzzed:
        wrong = findings(tallies)
        print(f"after {(time.monotonic() - start) / 3600:.2f} hours\n{table(tallies)}\n{wrong}", flush=True)
    return int(bool(wrong))


if __name__ == "__main__":
    sys.exit(main())
