"""Speed of Lava's CPU simulator: whole images, and one layer against Lava's own Conv and LIF.

    python -m benchmarks.lava_speed net.h5 --images-of resnet20/
    python -m benchmarks.lava_speed net.h5 --layer conv2 --json speed.json

NET.h5 is a file of `onespike convert`. The folder of images is that of `benchmarks.cifar10`; without one the input
codes are random. Times "after start" begin when Lava's processes run. The layer runs on its real input spikes, once as
stock Conv + LIF and once as Synapse + OneSpike of this package, behind the same source and without a receiver. The
time of the stock processes does not depend on the spikes, so a few steps are enough. All times are measured in one
run, so that their ratios do not depend on the load of the machine.
"""

from __future__ import annotations

import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.io.source import RingBuffer as Source
from lava.proc.lif.process import LIF
from numpy.typing import NDArray

import netx_export
from benchmarks.command_line import command_parser, write_json
from loihi_onespike.core.encoding import dense_codes, encode_input
from loihi_onespike.core.graphs.network import Network, Population, Synapse
from loihi_onespike.core.trace import Trace, first_difference
from loihi_onespike.executors.lava import run
from loihi_onespike.executors.lava.processes.process import OneSpike
from loihi_onespike.executors.lava.processes.process import OneSpikeSynapse as OwnSynapse
from loihi_onespike.executors.lava.stock import stock_synapse
from loihi_onespike.executors.lava_options import ProcessKind

STREAM = 8
STOCK_STEPS, OWN_STEPS = 8, 200
TIMEOUT_S = 900.0


def input_codes(network: Network, folder: Path | None) -> NDArray[np.integer]:
    """Codes (STREAM, *input shape) of the first test images; random ones without a folder."""
    if folder is None:
        return np.random.default_rng(0).integers(0, 2**network.input.timesteps, (STREAM, *network.input.shape))
    from benchmarks.cifar10 import module_of

    data = module_of(folder)
    images = data.normalise(data.images("test")[0][:STREAM])
    return dense_codes(encode_input(network.input, np.asarray(images)), "the benchmark")


def whole_run(network: Network, codes: NDArray[np.integer], processes: ProcessKind) -> tuple[Trace, float, float]:
    """Run on Lava and measure the time.

    Args:
        network: the network.
        codes: input codes (N, *input shape).
        processes: "graph" for a process per layer and synapse, "whole" for one process.

    Returns:
        The trace, the seconds until Lava's processes run, and the seconds from then to the last step.
    """
    seen: list[float] = []
    begin = time.perf_counter()
    trace = run(
        network,
        codes,
        processes=processes,
        timeout_s=TIMEOUT_S,
        progress=lambda done, steps: seen.append(time.perf_counter()),
    )
    return trace, seen[0] - begin, seen[-1] - seen[0]


def layer_of(network: Network, name: str | None) -> tuple[Synapse, Population, Population]:
    """Synapse and both populations of a layer, by default of the first one that stock Conv can compute.

    Raises:
        SystemExit: there is no such layer.
    """
    for synapse in network.synapses:
        pre, post = network.by_name[synapse.pre], network.by_name[synapse.post]
        if not isinstance(pre, Population) or not isinstance(post, Population) or name not in (None, post.name):
            continue
        stock = stock_synapse(synapse, pre, post.shape)
        if stock is not None and stock.whc:
            return synapse, pre, post
    raise SystemExit(f"--layer: must be a layer that Lava's Conv can compute, got {name or 'none'}")


def seconds_per_step(processes: list[AbstractProcess], steps: int) -> float:
    """Wall time of a step of connected processes in seconds, without the start; median of three runs."""
    first, config = processes[0], Loihi2SimCfg(select_tag="fixed_pt")
    first.run(RunSteps(2), config)
    seconds = []
    for _ in range(3):
        start = time.perf_counter()
        first.run(RunSteps(steps))
        seconds.append((time.perf_counter() - start) / steps)
    first.stop()
    return statistics.median(seconds)


def one_layer(network: Network, trace: Trace, name: str | None) -> dict[str, Any]:
    """Seconds per step of a layer with Lava's processes and with those of this package.

    Args:
        network: the network.
        trace: a run of it; the spikes of its first image are used.
        name: name of the layer; None for the first one that Lava's Conv can compute.
    """
    synapse, pre, post = layer_of(network, name)
    words = np.asarray(trace.layers[pre.name].words)[0]
    period = network.period_steps
    frames = np.stack([pre.code.spikes(words, t) for t in range(1, period + 1)], axis=-1).astype(words.dtype)

    stock = stock_synapse(synapse, pre, post.shape)
    assert stock is not None
    source = Source(data=np.ascontiguousarray(frames.transpose(2, 1, 0, 3)))
    lif = LIF(shape=stock.process.a_out.shape, vth=2**17, du=4095, dv=0)
    source.s_out.connect(stock.process.s_in)
    stock.process.a_out.connect(lif.a_in)
    theirs = seconds_per_step([source, stock.process, lif], STOCK_STEPS)

    source = Source(data=frames)
    own = OwnSynapse(op=synapse.op, pre_shape=pre.shape, index=synapse.index)
    neuron = OneSpike(
        shape=post.shape, membrane=post.membrane, wait=post.wait, threshold=post.threshold, table=post.table,
        negative=post.negative, messages=np.array(post.code.messages).reshape(post.timesteps, -1), start=1,
        period=period,
    )  # fmt: skip
    source.s_out.connect(own.s_in)
    own.a_out.connect(neuron.a_in)
    ours = seconds_per_step([source, own, neuron], OWN_STEPS)
    return {"layer": post.name, "from": pre.shape, "to": post.shape, "stock_seconds": theirs, "own_seconds": ours}


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument("network", type=Path, metavar="NET.h5", help="file of `onespike convert`")
    parser.add_argument("--images-of", type=Path, metavar="FOLDER", help="folder of the images (default: random)")
    parser.add_argument("--layer", metavar="NAME", help="layer to compare (default: the first that Conv can compute)")
    args = parser.parse_args()
    network = netx_export.read(args.network)
    codes = input_codes(network, args.images_of)
    layers, steps = len(network.populations) - 1, network.steps(1)
    report: dict[str, Any] = {"network": network.name, "layers": layers, "steps": steps}

    graph, start, graph_seconds = whole_run(network, codes[:1], "graph")
    print(f"{network.name}: {layers} layers, {steps} steps per image")
    print(f"process graph, one image      {graph_seconds:6.2f} s after start ({start:.1f} s)", flush=True)
    whole, start, whole_seconds = whole_run(network, codes[:1], "whole")
    print(f"whole network, one image      {whole_seconds:6.2f} s after start ({start:.1f} s)", flush=True)
    difference = first_difference(graph, whole)
    print("spikes and potentials         ", difference or "equal", flush=True)
    _, start, stream_seconds = whole_run(network, codes, "whole")
    print(f"whole network, stream of {STREAM}    {stream_seconds:6.2f} s after start ({start:.1f} s)", flush=True)

    layer = one_layer(network, graph, args.layer)
    stock = layer["stock_seconds"]
    rows = {
        "our Synapse + OneSpike": layer["own_seconds"],
        "process graph, mean of all layers": graph_seconds / (steps * layers),
        "whole network, mean of all layers": whole_seconds / (steps * layers),
    }
    print(f"a step of {layer['layer']}, {layer['from']} to {layer['to']}: stock Conv + LIF {1e3 * stock:.2f} ms")
    for name, seconds in rows.items():
        print(f"{name:34} {1e3 * seconds:8.3f} ms per step and layer, {stock / seconds:7.1f} times faster")
    if args.json:
        report |= {
            "graph_seconds": graph_seconds,
            "whole_seconds": whole_seconds,
            "stream_seconds": stream_seconds,
            "equal": difference is None,
            **layer,
            "ratios": {name: stock / seconds for name, seconds in rows.items()},
        }
        write_json(args.json, report)


if __name__ == "__main__":
    main()
