"""Process models of the neurons for Loihi 2 cores. Needs Intel's lava-loihi, which lava-nc 0.10.0 does not contain.

    net = netx.Network("digits.h5")                     # executors.lava.processes.network
    prepare(net, ucode="folder with one program per population")
    run_cfg = Loihi2HwCfg(exception_proc_model_map=models())

`prepare` needs no lava-loihi; `models` raises LavaError where it is not there. The program files are the user's own:
microcode is written in Intel's tools, for which INRC members have the documents. docs/microcode.md gives the program
of each population as a listing, the names of its constants and state, and how far it has been verified.
"""

from loihi_onespike.executors.lava.nc.availability import available, models, require, why_unavailable
from loihi_onespike.executors.lava.nc.parameters import NcParameters, prepare
from loihi_onespike.microcode.program_file import UCODE_VARIABLE, program_files

__all__ = [
    "UCODE_VARIABLE",
    "NcParameters",
    "available",
    "models",
    "prepare",
    "program_files",
    "require",
    "why_unavailable",
]
