"""The command `onespike`. Torch, Lava and other large libraries are imported only by the commands that use them."""

from __future__ import annotations

import sys


def main() -> None:
    """Run the command that the command line of this process names.

    Ctrl-C before a command begins ends the process as within one, with exit status 130.
    """
    try:
        from loihi_onespike.cli.app import app

        app()
    except KeyboardInterrupt:
        print("\nonespike: interrupted", file=sys.stderr)
        sys.exit(130)
