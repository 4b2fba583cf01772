"""The command `onespike`. Nothing heavy is imported before a command needs it."""

from __future__ import annotations


def main() -> None:
    """Run the command line of this process."""
    from loihi_onespike.cli.app import app

    app()
