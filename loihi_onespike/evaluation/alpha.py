"""The paper's energy measure α (section IV-C, Eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loihi_onespike.core.graphs.network import Network, Readout


@dataclass(frozen=True)
class ArithmeticEnergy:
    """Energy of one operation in 45 nm CMOS.

    Source: M. Horowitz, ISSCC 2014, as used by arXiv 2403.08786 sections IV-C and V-A.
    """

    mac_pj: float
    add_pj: float


FP32 = ArithmeticEnergy(mac_pj=4.6, add_pj=0.9)
INT8 = ArithmeticEnergy(mac_pj=0.2, add_pj=0.03)


def operations(network: Network, spikes_per_neuron: Mapping[str, float]) -> tuple[float, float] | None:
    """Multiply-accumulates of the ANN and additions of the network per image.

        Σ_l OP_ANN^l  and  Σ_l SpikeRate_l · OP_ANN^l

    OP_ANN^l are the multiply-accumulates of the ANN layer behind each synapse group (convolution, linear, aggregation;
    pooling and shortcuts have none) and SpikeRate_l the spikes per neuron and image of the population it reads, the
    input included. The paper has no payload; a spike with b bits of it counts as `Code.additions_per_spike` = b + 1
    additions, an upper bound (docs/arithmetic.md, Energy).

    Args:
        network: network with the multiply-accumulates of its ANN.
        spikes_per_neuron: spikes per neuron and image by population.

    Returns:
        Both numbers; None where the network does not record the multiply-accumulates, as files of other programs may.
    """
    macs = network.facts.get("ann_macs")
    if not isinstance(macs, Mapping):
        return None
    counted = [(float(macs[s.name]), network.by_name[s.pre]) for s in network.synapses if s.name in macs]
    added = 0.0
    for multiplied, pre in counted:
        assert not isinstance(pre, Readout)
        added += multiplied * spikes_per_neuron[pre.name] * pre.code.additions_per_spike
    return sum(multiplied for multiplied, _ in counted), added


def additions_per_spike(network: Network) -> int:
    """The most additions that a spike of any population counts as in `operations`; 1 without payload."""
    return max(p.code.additions_per_spike for p in network.populations if not isinstance(p, Readout))


def relative_efficiency(network: Network, spikes_per_neuron: Mapping[str, float], energy: ArithmeticEnergy) -> float:
    """α = E_MAC Σ_l OP_ANN^l / (E_add Σ_l SpikeRate_l · OP_ANN^l), see `operations`.

    Infinite when nothing spikes; NaN where the network does not record the multiply-accumulates.

    Args:
        network: network with the multiply-accumulates of its ANN.
        spikes_per_neuron: spikes per neuron and image by population.
        energy: energies of an addition and a multiply-accumulate.
    """
    counted = operations(network, spikes_per_neuron)
    if counted is None:
        return float("nan")
    multiplied, added = counted
    return float("inf") if added == 0 else energy.mac_pj * multiplied / (energy.add_pj * added)
