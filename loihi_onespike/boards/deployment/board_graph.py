"""The process graph for a board: source on the host, adapter, network on cores, adapters, sinks on the host.

    PhaseInput → PyToNxAdapter → Network (stock synapses, neurons as microcode) → NxToPyAdapter → SpikeSink
                                             v of the readout → embedded_io.state.Read → StateSink

`lava.proc.embedded_io` belongs to lava-loihi and is therefore imported inside the functions that need it. Names and
ports are those of public code; the delays of the adapters are options, because only a board can show them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_configs import Loihi2HwCfg
from numpy.typing import NDArray

from loihi_onespike.boards.deployment import sinks
from loihi_onespike.boards.deployment.board_job import OUTPUT, BoardJob
from loihi_onespike.core.graphs.network import InputPopulation, Membrane
from loihi_onespike.core.graphs.network import Network as IrNetwork
from loihi_onespike.errors import DeploymentError
from loihi_onespike.executors.lava import nc
from loihi_onespike.executors.lava.processes import input_models, network
from loihi_onespike.executors.lava.processes.process import OneSpikeSynapse, PhaseInput
from loihi_onespike.executors.lava.stock import SIGNED_MESSAGE_BITS

INPUT_REMEDY = "lower the input delay, or convert with more steps"


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
        DeploymentError: synapses have no form on the board, or the input delay is longer than a period.
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
    host = [_compute_only(given, codes, net)] if job.compute_only else [_streamed(job, given, codes, net)]
    if job.profile_steps is None:
        host += [_output_sink(job, net, len(codes), folder)]
        host += [_spike_sink(job, net, name, len(codes), folder) for name in job.taps]
    return BoardGraph(net, tuple(host))


def _streamed(job: BoardJob, given: IrNetwork, codes: NDArray[np.integer], net: network.Network) -> AbstractProcess:
    """Spikes from the host. The source starts `input_delay` steps before window 1 of the first layer."""
    from lava.proc.embedded_io.spike import PyToNxAdapter

    start = net.period - job.input_delay
    if start < 0:
        raise DeploymentError(
            f"input delay: must be in [0, {net.period}] steps (a period), got {job.input_delay}; {INPUT_REMEDY}"
        )
    source = PhaseInput(codes=codes, code=given.input.code, period=net.period, start=start, name="input")
    adapter = PyToNxAdapter(shape=given.input.shape)
    source.s_out.connect(adapter.inp)
    adapter.out.connect(net.inp)
    return source


def _compute_only(given: IrNetwork, codes: NDArray[np.integer], net: network.Network) -> AbstractProcess:
    """The first image's spikes, replayed from the chip every period: no host in the loop."""
    from lava.proc.cyclic_buffer.process import CyclicBuffer

    frames = input_frames(given.input, codes[0], net.period).reshape(net.period, -1)
    replay = CyclicBuffer(first_frame=frames[0], replay_frames=frames[1:].T)
    replay.s_out.reshape(given.input.shape).connect(net.inp)
    return replay


def input_frames(source: InputPopulation, codes: NDArray[np.integer], period: int) -> NDArray[np.int8]:
    """Input spikes of one image, step by step.

    Args:
        source: The input population, with its code.
        codes: (*shape) codes of one image.
        period: Steps per image.

    Returns:
        (period, *shape) spikes, 0 or 1; zero after the last phase of the code.
    """
    frames = np.zeros((period, *source.shape), np.int8)
    for t in range(1, source.timesteps + 1):
        frames[t - 1] = source.code.spikes(codes, t)
    return frames


def hold_step(membrane: Membrane, period: int) -> int:
    """Local step at which the readout is read: the middle of the steps in which v is complete and held.

    It is as far as possible from both ends of these steps, so that a delay of one step more or less does not matter.

    Args:
        membrane: Membrane of the readout.
        period: Steps per image.

    Returns:
        Local step, counted from 1.
    """
    return (membrane.input_steps + period) // 2


def _output_sink(job: BoardJob, net: network.Network, images: int, folder: Path) -> AbstractProcess:
    from lava.proc.embedded_io.state import Read

    readout = net.network.readout
    reader = Read(shape=readout.shape)
    reader.connect_var(net.out_layer.neuron.v)
    sink = sinks.StateSink(
        at=hold_step(readout.membrane, net.period), **_common(job, net, readout.name, images, folder / OUTPUT)
    )
    reader.out.connect(sink.a_in)
    return sink


def _spike_sink(job: BoardJob, net: network.Network, name: str, images: int, folder: Path) -> AbstractProcess:
    from lava.proc.embedded_io.spike import NxToPyAdapter

    (layer,) = (y for y in net.layers if y.name == name)
    population = layer.population
    signed = getattr(population, "signed", False)
    adapter = NxToPyAdapter(shape=population.shape, **({"num_message_bits": SIGNED_MESSAGE_BITS} if signed else {}))
    layer.neuron.s_out.connect(adapter.inp)
    sink = sinks.SpikeSink(wait=population.wait, **_common(job, net, name, images, job.spikes(folder, name)))
    adapter.out.connect(sink.a_in)
    return sink


def _common(job: BoardJob, net: network.Network, name: str, images: int, file: Path) -> Mapping[str, Any]:
    return {
        "shape": net.network.by_name[name].shape,
        "file": file,
        "images": images,
        "start": net.network.starts[name],
        "period": net.period,
        "delay": job.output_delay,
        "name": f"sink of {name}",
    }
