"""The page of a hand-over folder: what to write with Intel's tools, in terms of published information only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from loihi_onespike.core.graphs.network import Network
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC

PAGE = """# Hand-over of {name}

Everything that has to be loaded onto the cores of a Loihi 2 board to run this network, and everything that has to
come out. The assembly language of microcode is not public, so the programs are listings in the notation of
loihi-onespike (docs/microcode.md states the published mnemonics and how each is read) and have to be written with the
tools that Intel gives to members of its research community. Cores and chips are those of our own mapping, which
Intel's compiler need not follow.

{bringup}
## Files
- `network.json`: this folder as data: populations, synapse groups, schedule, file names.
- `network.h5`: the network as a NetX file (docs/netx_format.md), from which all else was made.
- `populations/*.listing.txt`: the program of a population. `[x]` is a field of the neuron's state, `#x` a shared
  constant, other names are registers, `label:` is where a jump goes.
- `populations/*.json`: shared constants, fields of the state with width, row and lowest bit, message bits, cores.
- `populations/*.state.csv`: the first values of the fields of every neuron, and the rows of 64 bits that they make.
- `synapses/*.csv`: pre neuron, post neuron, weight. `synapses/*.axons.csv`: the cores that the spikes of a neuron go
  to.
- `golden/`: input spikes, spikes (`*.spikes.csv`) and potentials after every step (`*.v.npy`, images × steps ×
  neurons) of {images} images.

Neurons are numbered from 0 with the last axis of the shape fastest.

## What to write
For each population of the table, in this order:
1. **Program.** The listing, instruction by instruction. A pass runs once per step and neuron; `RDC` comes first.
2. **Shared constants**, by the names of the listing, and **state**, by the names of its fields. In the public
   interface of process models for neuro cores these are the keyword arguments of
   `net.neurons_cfg.allocate_ucode(shape=(1,), ucode=FILE, …constants)` and
   `net.neurons.allocate_ucode(shape=(neurons,), …state)`. State is what a neuron holds before step 1.
3. **Output axons**: `net.ax_out.allocate(shape=(neurons,), num_message_bits=…)`; 0 for binary spikes, {message_bits}
   where spikes have a sign or carry a message. The readout sends none, its v is read by the host.
4. **Connections**: `a_in` to neurons, neurons to their configuration and to the axons, axons to `s_out`.

| population | neurons | rows of state | message bits | start step | program |
| --- | --- | --- | --- | --- | --- |
{populations}

Then the synapses. A weight is an even integer from -254 to 254 (8 bits, mixed sign); a group's sum is shifted left by
its weight exponent, so the synaptic input is (Σ weight · spike) · 2^exponent. A spike arrives 1 step after it was
sent, and its axon delay later. The accumulator is the one that `RDC` reads, the first (0) where it names none; the
neurons of a product have two, and how Intel's tools name the second is not public.

| group | from | to | accumulator | synapses | weight exponent | axon delay in steps |
| --- | --- | --- | --- | --- | --- | --- |
{synapses}

## Schedule
A new image begins every {period} steps. A population counts windows of {period} steps from its start step; window 0
is empty, and image n stands in window n + 1: local step t of image n is board step start + (n + 1) · {period} + t. An
input neuron sends at the board steps of `golden/input.csv`; the spike reaches its targets one step later. Where an
adapter between host and cores adds d steps, the host sends d steps earlier. Local steps count from 1.

## What has to come out
- `golden/*.spikes.csv` lists every spike of the images by population: image, local step, board step, neuron, payload.
  There are no others in the windows of the images; what neurons send in window 0 and after the last image has no
  meaning.
- `golden/*.v.npy` holds v of every neuron after every local step. The host reads 24 bits without their sign;
  `(x << 8) >> 8` in 32 bits restores it.
- The state of a product (`product_shift` in its file) holds the sums of both factors, `first` and `second`, and no v:
  v = (first · second >> product_shift) + bias, limited to 24 bits.
- The output of the network is v of the readout after its last input step (local step {last}), where it is held.

Where populations differ, start with the first of the table that does: its input is still right. Then compare v, step
by step.
"""
BRINGUP = """Begin with the folder `bringup`: networks of a few neurons in the same form, which show one instruction
after the other. `onespike bringup --explain` names the readings of the instructions that explain what they do.

"""
RUNG = """This is a network of the bring-up ladder. `expected.json` holds its golden trace in the form of an
observation, which is what `onespike bringup --explain` reads: write what you measure in the same form
(docs/bringup.md).

"""


def page(
    network: Network,
    populations: Sequence[Mapping[str, object]],
    synapses: Sequence[Mapping[str, object]],
    images: int,
    about: str,
) -> str:
    """The page as Markdown.

    Args:
        network: The network.
        populations: Descriptions of the populations, in the order of the network.
        synapses: Descriptions of the synapse groups.
        images: Number of images of the golden trace.
        about: A paragraph on the bring-up.
    """
    of_population = [
        (p["name"], p["neurons"], p["rows"], _bits(p["message_bits"]), p["start_step"], f"`{p['listing']}`")
        for p in populations
    ]
    of_group = [
        (
            s["name"],
            s["pre"],
            s["post"],
            s["accumulator"],
            s["synapses"] or "in network.h5",
            s["weight_exp"],
            s["axon_delay"],
        )
        for s in synapses
    ]
    return PAGE.format(
        name=network.name,
        bringup=about,
        images=images,
        message_bits=DEFAULT_SPEC.message_bits,
        period=network.period_steps,
        last=max(p.membrane.input_steps for p in network.readouts),
        populations=_rows(of_population),
        synapses=_rows(of_group),
    )


def _bits(message_bits: object) -> object:
    return "none" if message_bits is None else message_bits


def _rows(cells: Sequence[Sequence[object]]) -> str:
    return "\n".join("| " + " | ".join(str(c).replace("|", "\\|") for c in row) + " |" for row in cells)
