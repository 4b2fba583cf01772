"""The paper's energy measure α (section IV-C, Eq. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loihi_onespike.core.graphs.network import Network


@dataclass(frozen=True)
class ArithmeticEnergy:
    """Energy of one operation in 45 nm CMOS.

    Source: M. Horowitz, ISSCC 2014, as used by arXiv 2403.08786 sections IV-C and V-A.
    """

    mac_pj: float
    add_pj: float


FP32 = ArithmeticEnergy(mac_pj=4.6, add_pj=0.9)
INT8 = ArithmeticEnergy(mac_pj=0.2, add_pj=0.03)


def relative_efficiency(network: Network, spikes_per_neuron: Mapping[str, float], energy: ArithmeticEnergy) -> float:
    """α = E_MAC Σ_l OP_ANN^l / (E_add Σ_l SpikeRate_l · OP_ANN^l).

    OP_ANN^l are the multiply-accumulates of the ANN layer behind each synapse group (convolution, linear, aggregation;
    pooling and shortcuts have none) and SpikeRate_l the spikes per neuron and image of the population it reads, the
    input included. Infinite when nothing spikes; NaN where the network does not record the
    multiply-accumulates, as files of other programs may.

    Args:
        network: network with the multiply-accumulates of its ANN.
        spikes_per_neuron: spikes per neuron and image by population.
        energy: energies of an addition and a multiply-accumulate.
    """
    macs = network.facts.get("ann_macs")
    if not isinstance(macs, Mapping):
        return float("nan")
    multiplied = float(sum(macs[s.name] for s in network.synapses if s.name in macs))
    added = float(sum(macs[s.name] * spikes_per_neuron[s.pre] for s in network.synapses if s.name in macs))
    return float("inf") if added == 0 else energy.mac_pj * multiplied / (energy.add_pj * added)
