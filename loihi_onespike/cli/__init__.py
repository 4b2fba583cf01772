"""The command `onespike`. Torch, Lava and other large libraries are imported only by the commands that use them."""

from __future__ import annotations


def main() -> None:
    """Run the command that the command line of this process names."""
    from loihi_onespike.cli.app import app

    app()
