"""Running a network on a board: preflight, run, comparison with the oracle, time and energy (docs/board.md).

    for check in preflight(network, "oheo_gulch", program="microcode/"):
        print(check)
    report = deploy(network, codes, "oheo_gulch", DeploymentOptions(dry_run=True))
    report.write("report")                       # report.json, report.md

Names are imported on first use: the process that talks to the board (`backends.lava`) starts from this package and must
not load the mapper, the estimate and the oracle, which it does not need.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from loihi_onespike.boards.deployment.access import Ethernet, Slurm
    from loihi_onespike.boards.deployment.backends.check import Check
    from loihi_onespike.boards.deployment.checks import preflight
    from loihi_onespike.boards.deployment.deployment import DeploymentOptions, deploy
    from loihi_onespike.boards.deployment.deployment_report import Report
    from loihi_onespike.boards.deployment.measurement import BoardMeasurement

__all__ = ["BoardMeasurement", "Check", "DeploymentOptions", "Ethernet", "Report", "Slurm", "deploy", "preflight"]

_HOMES = {
    "Check": "backends.check",
    "Ethernet": "access",
    "BoardMeasurement": "measurement",
    "DeploymentOptions": "deployment",
    "Report": "deployment_report",
    "Slurm": "access",
    "deploy": "deployment",
    "preflight": "checks",
}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
