"""Synaptic input of layers of NetX files, computed by lava-dl's own loading code and blocks.

    python -m tests.support.lava_dl_blocks <folder>

For every <case>.net of the folder, with the name of a population in <case>.name and the messages that go to it,
(steps, *pre shape) in the IR's axis order, in <case>.npy: writes <case>.sums.npy (steps, *post shape). `create_conv`
and `create_dense` of lava-dl read weights, stride, padding, … from the file; only the neuron, which lava-dl does not
know, is replaced: by a readout with a window of one step, which records what it receives. Messages other than 0 and 1
reach lava-dl's blocks as graded spikes, whose width is their argument and not a field of the file.
"""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
from lava.lib.dl.netx import hdf5
from lava.lib.dl.netx.utils import NetDict
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.source import RingBuffer
from numpy.typing import NDArray

from loihi_onespike.executors.lava.processes.process import Readout
from loihi_onespike.executors.lava.recording import Record
from tests.support.lava_networks import membrane


def layer_of(file: Path, population: str) -> int:
    """Number of a population's layer in the file."""
    with h5py.File(file) as handle:
        layers = [
            int(n) for n, g in handle["layer"].items() if g.get("onespike", g).attrs.get("name") == population.encode()
        ]
    return layers[0]


GRADED_BITS = 8


def block_sums(file: Path, population: str, spikes: NDArray[np.int8], folder: Path) -> NDArray[np.integer]:
    """Sums (steps, *post shape), WHC order of lava-dl turned back to CHW."""
    config = NetDict(str(file))["layer"][layer_of(file, population)]
    kind = config["type"]
    whc = spikes.transpose(3, 2, 1, 0) if kind == "conv" else spikes.reshape(len(spikes), -1).T
    shape = tuple(int(n) for n in np.atleast_1d(config["shape"])[::-1])
    # Sums leave the block one step after their spikes.
    record = Record(folder, file.stem, len(spikes) + 1, shape, False, np.int32)
    record.create()
    bits = GRADED_BITS if np.any((spikes != 0) & (spikes != 1)) else 0
    neuron = {"neuron_proc": Readout, "membrane": membrane(4096, 1), "period": 1, "record": record}
    hdf5.Network.get_neuron_params = staticmethod(lambda *_, **__: dict(neuron))
    if kind == "conv":
        block, _ = hdf5.Network.create_conv(config, input_shape=whc.shape[:3], input_message_bits=bits)
    else:
        block, _ = hdf5.Network.create_dense(config, input_message_bits=bits)
    source = RingBuffer(data=np.concatenate([whc, np.zeros((*whc.shape[:-1], 1), whc.dtype)], axis=-1))
    source.s_out.connect(block.inp)
    block.run(RunSteps(len(spikes) + 1), Loihi2SimCfg(select_tag="fixed_pt", select_sub_proc_model=True))
    block.stop()
    v = record.read().v
    assert v is not None
    return v[1:].transpose(0, 3, 2, 1) if kind == "conv" else v[1:]


def main(folder: Path) -> None:
    for file in sorted(folder.glob("*.net")):
        population = file.with_suffix(".name").read_text()
        sums = block_sums(file, population, np.load(file.with_suffix(".npy")), folder)
        np.save(file.with_suffix(".sums.npy"), sums)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
