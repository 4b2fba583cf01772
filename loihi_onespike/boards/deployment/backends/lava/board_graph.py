"""The process graph for a board: source on the host, adapter, network on cores, adapters, sinks on the host.

    PhaseInput → PyToNxAdapter → Network (stock synapses, neurons as microcode) → NxToPyAdapter → StepSink
                                          v of a population → embedded_io.state.Read → StepSink

`lava.proc.embedded_io` belongs to lava-loihi and is therefore imported inside the functions that need it. Names and
ports are those of public code.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_configs import Loihi2HwCfg
from numpy.typing import NDArray

from loihi_onespike.boards.deployment.backends.board_backend import InputStream
from loihi_onespike.boards.deployment.backends.lava import sinks
from loihi_onespike.boards.deployment.backends.lava.board_job import BoardJob
from loihi_onespike.core.graphs.network import Network as IrNetwork
from loihi_onespike.core.graphs.network import Population
from loihi_onespike.errors import DeploymentError
from loihi_onespike.executors.lava import nc
from loihi_onespike.executors.lava.processes import input_models, network
from loihi_onespike.executors.lava.processes.process import OneSpikeSynapse, PhaseInput
from loihi_onespike.executors.lava.stock import GRADED_MESSAGE_BITS


@dataclass(frozen=True, eq=False)
class BoardGraph:
    """The processes of a run.

    Attributes:
        net: The network, whose processes run on cores.
        host: Processes whose models run in Python on the host.
    """

    net: network.Network
    host: tuple[AbstractProcess, ...]

    def run_config(self) -> Loihi2HwCfg:
        """Lava's run configuration: neurons as microcode, host processes in Python, stock synapses."""
        models: dict[Any, type] = {
            **nc.models(),
            **sinks.MODELS,
            PhaseInput: input_models.PyPhaseInputModel,
            network.Network: network.PyNetworkModel,
        }
        return Loihi2HwCfg(select_sub_proc_model=True, exception_proc_model_map=models)


def unsupported_synapses(net: network.Network) -> list[str]:
    """Names of the synapses that no process of Lava carries exactly, and that have no form on a board."""
    return [
        name for layer in net.layers for name, process in layer.synapses.items() if isinstance(process, OneSpikeSynapse)
    ]


def build_graph(job: BoardJob, given: IrNetwork, codes: NDArray[np.integer], folder: Path) -> BoardGraph:
    """Make all processes of a run and connect them.

    Args:
        job: What to run, and how.
        given: The network.
        codes: (N, *input shape) input codes.
        folder: Folder that the sinks write their results to.

    Returns:
        The connected processes.

    Raises:
        DeploymentError: synapses have no form on the board.
        ConfigurationError: program files are missing.
    """
    net = network.Network(given, synapses="stock")
    lost = unsupported_synapses(net)
    if lost:
        raise DeploymentError(
            f"synapses {', '.join(lost)}: weights must fit into 8 bits for Lava's Dense, Conv and Sparse, got more "
            "after gathering; reduce --weight-bits, or change the layer that gathers one neuron several times"
        )
    nc.prepare(net, ucode=job.program)
    stream = InputStream(given.input, codes, net.period, job.start)
    host = [_compute_only(stream, net)] if job.compute_only else [_streamed(stream, net)]
    if not job.profile:
        host += [_state_sink(job, net, name, folder) for name in job.v]
        host += [_spike_sink(job, net, name, folder) for name in job.spikes]
    return BoardGraph(net, tuple(host))


def _streamed(stream: InputStream, net: network.Network) -> AbstractProcess:
    """Spikes from the host."""
    from lava.proc.embedded_io.spike import PyToNxAdapter

    given = stream.source
    source = PhaseInput(codes=stream.codes, code=given.code, period=stream.period, start=stream.start, name="input")
    graded = {"num_message_bits": GRADED_MESSAGE_BITS} if given.message_bits else {}
    adapter = PyToNxAdapter(shape=given.shape, **graded)
    source.s_out.connect(adapter.inp)
    adapter.out.connect(net.inp)
    return source


def _compute_only(stream: InputStream, net: network.Network) -> AbstractProcess:
    """The first image's spikes, replayed from the chip every period: no host in the loop."""
    from lava.proc.cyclic_buffer.process import CyclicBuffer

    frames = np.stack([stream.frame(stream.start + t).ravel() for t in range(1, stream.period + 1)])
    replay = CyclicBuffer(first_frame=frames[0], replay_frames=frames[1:].T)
    replay.s_out.reshape(stream.source.shape).connect(net.inp)
    return replay


def _state_sink(job: BoardJob, net: network.Network, name: str, folder: Path) -> AbstractProcess:
    from lava.proc.embedded_io.state import Read

    layer = _layer(net, name)
    reader = Read(shape=layer.population.shape)
    reader.connect_var(layer.neuron.v)
    file = job.v_file(folder, name)
    sink = sinks.StepSink(shape=layer.population.shape, file=file, steps=job.steps, name=f"potentials of {name}")
    reader.out.connect(sink.a_in)
    return sink


def _spike_sink(job: BoardJob, net: network.Network, name: str, folder: Path) -> AbstractProcess:
    from lava.proc.embedded_io.spike import NxToPyAdapter

    layer = _layer(net, name)
    population = layer.population
    assert isinstance(population, Population)
    graded = {"num_message_bits": GRADED_MESSAGE_BITS} if population.message_bits else {}
    adapter = NxToPyAdapter(shape=population.shape, **graded)
    layer.neuron.s_out.connect(adapter.inp)
    file = job.spikes_file(folder, name)
    sink = sinks.StepSink(shape=population.shape, file=file, steps=job.steps, name=f"spikes of {name}")
    adapter.out.connect(sink.a_in)
    return sink


def _layer(net: network.Network, name: str) -> Any:
    (layer,) = (y for y in net.layers if y.name == name)
    return layer
