"""The paper's energy measure α (section IV-C, Eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod

from loihi_onespike.core.graphs.network import Network, Readout
from loihi_onespike.core.maps.connectivity import connections


@dataclass(frozen=True)
class ArithmeticEnergy:
    """Energy of one operation in 45 nm CMOS.

    Source: M. Horowitz, ISSCC 2014, as used by arXiv 2403.08786 sections IV-C and V-A.
    """

    mac_pj: float
    add_pj: float


FP32 = ArithmeticEnergy(mac_pj=4.6, add_pj=0.9)
INT8 = ArithmeticEnergy(mac_pj=0.2, add_pj=0.03)


@dataclass(frozen=True)
class ArithmeticCounts:
    """ArithmeticCounts per image as Eq. 6 counts them.

    Attributes:
        macs: multiply-accumulates of the ANN.
        additions: additions of the network.
        multiplications: multiplications of the network, one for every neuron of a product of two activations.
    """

    macs: float
    additions: float
    multiplications: float = 0.0

    def alpha(self, energy: ArithmeticEnergy) -> float:
        """α = E_MAC · macs / (E_add · additions + E_MAC · multiplications), infinite when nothing is computed.

        Args:
            energy: energies of an addition and a multiply-accumulate.
        """
        spent = energy.add_pj * self.additions + energy.mac_pj * self.multiplications
        return float("inf") if spent == 0 else energy.mac_pj * self.macs / spent


def operations(
    network: Network, spikes_per_neuron: Mapping[str, float], made: Mapping[str, float] | None = None
) -> ArithmeticCounts | None:
    """Multiply-accumulates of the ANN and additions of the network per image.

        Σ_l OP_ANN^l  and  Σ_l SpikeRate_l · OP_ANN^l

    OP_ANN^l are the multiply-accumulates of the ANN layer behind each synapse group (convolution, linear, aggregation;
    pooling and shortcuts have none) and SpikeRate_l the spikes per neuron and image of the population it reads, the
    input included. A weight of 0 is no synapse: with `made`, a spike is added for the others alone, while the
    multiply-accumulates are those of all weights, which the ANN was trained with. The paper has no payload; a spike
    with b bits of it counts as `Code.additions_per_spike` = b + 1 additions, an upper bound (docs/arithmetic.md,
    Energy).

    The paper has no products of activations either. A spike onto a product is an addition for every neuron that it
    reaches, and each of these neurons makes one multiplication, at the price of a multiply-accumulate. In the ANN those
    of a matrix product are the multiply-accumulates of the sum behind it; those of a gate are not counted.

    Args:
        network: network with the multiply-accumulates of its ANN.
        spikes_per_neuron: spikes per neuron and image by population.
        made: share of the synaptic operations of each group whose weight is not 0 (`SpikeCounter.made`); None to count
            all, as the paper does.

    Returns:
        The numbers; None where the network does not record the multiply-accumulates, as files of other programs may.
    """
    macs = network.facts.get("ann_macs")
    if not isinstance(macs, Mapping):
        return None
    made = {} if made is None else made
    total, added = 0.0, 0.0
    for synapse in network.synapses:
        if synapse.name in macs:
            pre, multiplied = network.by_name[synapse.pre], float(macs[synapse.name])
            assert not isinstance(pre, Readout)
            total += multiplied
            kept = multiplied * made.get(synapse.name, 1.0)
            added += kept * spikes_per_neuron[pre.name] * pre.code.additions_per_spike
    products = {p.name: p for p in network.hidden if p.product is not None}
    for synapse in network.synapses:
        if synapse.post in products:
            pre = network.by_name[synapse.pre]
            assert not isinstance(pre, Readout)
            targets = connections(synapse.op, pre.shape, synapse.index)
            kept = targets * made.get(synapse.name, 1.0)
            added += kept * spikes_per_neuron[pre.name] * pre.code.additions_per_spike
    multiplications = float(sum(prod(p.shape) for p in products.values()))
    return ArithmeticCounts(total, added, multiplications)


def additions_per_spike(network: Network) -> int:
    """The most additions that a spike of any population counts as in `operations`; 1 without payload."""
    return max(p.code.additions_per_spike for p in network.populations if not isinstance(p, Readout))


def relative_efficiency(
    network: Network,
    spikes_per_neuron: Mapping[str, float],
    energy: ArithmeticEnergy,
    made: Mapping[str, float] | None = None,
) -> float:
    """α = E_MAC Σ_l OP_ANN^l / (E_add Σ_l SpikeRate_l · OP_ANN^l), see `operations` for products of activations.

    Infinite when nothing spikes; NaN where the network does not record the multiply-accumulates.

    Args:
        network: network with the multiply-accumulates of its ANN.
        spikes_per_neuron: spikes per neuron and image by population.
        energy: energies of an addition and a multiply-accumulate.
        made: as of `operations`.
    """
    counted = operations(network, spikes_per_neuron, made)
    return float("nan") if counted is None else counted.alpha(energy)
