"""The process graph for a board: source on the host, adapter, network on cores, adapters, sinks on the host.

    PhaseInput → PyToNxAdapter → Network (stock synapses, neurons as microcode) → NxToPyAdapter → SpikeSink
                                             v of the readout → embedded_io.state.Read → StateSink

`lava.proc.embedded_io` comes with lava-loihi and is imported when it is needed. Names and ports are those of public
code; the delays of the adapters are options, because only a board can tell them.
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

from loihi_onespike.boards.deployment.board_job import OUTPUT, BoardJob
from loihi_onespike.boards.deployment.processes import sinks
from loihi_onespike.core.codes import BinaryCode
from loihi_onespike.core.graphs.network import InputPopulation, Membrane
from loihi_onespike.core.graphs.network import Network as IrNetwork
from loihi_onespike.errors import DeploymentError
from loihi_onespike.executors.lava import nc
from loihi_onespike.executors.lava.processes import input_models, network
from loihi_onespike.executors.lava.processes.process import PhaseInput, Synapse
from loihi_onespike.executors.lava.stock import SIGNED_MESSAGE_BITS

INPUT_REMEDY = "lower the input delay, or convert with more steps"


@dataclass(frozen=True, eq=False)
class BoardGraph:
    """Processes of a run; `host` are those whose models run in Python beside the board."""

    net: network.Network
    host: tuple[AbstractProcess, ...]

    def run_config(self) -> Loihi2HwCfg:
        """Neurons as microcode, host processes in Python, synapses as lava-loihi finds them."""
        models: dict[Any, type] = {
            **nc.models(),
            **sinks.MODELS,
            PhaseInput: input_models.PyPhaseInputModel,
            network.Network: network.PyNetworkModel,
        }
        return Loihi2HwCfg(select_sub_proc_model=True, exception_proc_model_map=models)


def unsupported_synapses(net: network.Network) -> list[str]:
    """Synapses that none of Lava's own processes carries exactly: there is nothing on a board for them."""
    return [name for layer in net.layers for name, process in layer.synapses.items() if isinstance(process, Synapse)]


def build_graph(job: BoardJob, given: IrNetwork, codes: NDArray[np.integer], folder: Path) -> BoardGraph:
    """All processes, connected.

    Raises:
        DeploymentError: synapses without a form on the board, or an input delay longer than a period.
        ConfigurationError: program files missing.
    """
    net = network.Network(given, synapses="stock")
    lost = unsupported_synapses(net)
    if lost:
        raise DeploymentError(
            f"synapses {', '.join(lost)}: found weights beyond 8 bits after gathering, supported Lava's Dense, Conv "
            "and Sparse; reduce --weight-bits, or change the layer that gathers one neuron several times"
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
            f"input delay: found {job.input_delay} steps, supported 0 to {net.period}, a period; {INPUT_REMEDY}"
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
    """(period, *shape) input spikes of one image, step by step."""
    frames = np.zeros((period, *source.shape), np.int8)
    for t in range(1, source.timesteps + 1):
        frames[t - 1] = (
            source.code.spikes(codes, t) if isinstance(source.code, BinaryCode) else (codes == t).astype(np.int8)
        )
    return frames


def hold_step(membrane: Membrane, period: int) -> int:
    """Local step in the middle of those in which v is complete and held, furthest from both ends: a step more or less
    on the way does not matter then."""
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
