"""Which ProcessModel runs each Process, stated instead of searched.

Lava's own search executes every module beside a Process, for every instance. A run configuration that names the model
of each instance skips it; `Loihi2SimCfg(select_tag="fixed_pt")` works too and only takes longer.
"""

from __future__ import annotations

from typing import Any

import loihi_onespike.executors.lava.processes  # noqa: F401  # isort: skip  (before Lava, see there)
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.proc.conv.models import PyConvModelFixed
from lava.proc.conv.process import Conv
from lava.proc.dense.models import PyDenseModelBitAcc
from lava.proc.dense.process import Dense
from lava.proc.sparse.models import PyDelaySparseModelBitAcc, PySparseModelBitAcc
from lava.proc.sparse.process import DelaySparse, Sparse

from loihi_onespike.executors.lava.processes import input_models, network, neuron_models, synapse_models, whole
from loihi_onespike.executors.lava.processes.process import (
    OneSpike,
    OneSpikeMaxPool,
    OneSpikeProduct,
    OneSpikeReadout,
    OneSpikeSynapse,
    PhaseInput,
)
from loihi_onespike.executors.lava.processes.whole import WholeNetwork
from loihi_onespike.executors.lava_options import Precision

FIXED: dict[type, type] = {
    network.Network: network.PyNetworkModel,
    WholeNetwork: whole.PyWholeNetworkModel,
    PhaseInput: input_models.PyPhaseInputModel,
    OneSpike: neuron_models.PyOneSpikeModelFixed,
    OneSpikeMaxPool: neuron_models.PyMaxPoolModelFixed,
    OneSpikeProduct: neuron_models.PyProductModelFixed,
    OneSpikeReadout: neuron_models.PyReadoutModelFixed,
    OneSpikeSynapse: synapse_models.PySynapseModelFixed,
    Conv: PyConvModelFixed,
    Dense: PyDenseModelBitAcc,
    Sparse: PySparseModelBitAcc,
    DelaySparse: PyDelaySparseModelBitAcc,
}
FLOATING: dict[type, type] = {
    network.Network: network.PyNetworkModel,
    PhaseInput: input_models.PyPhaseInputModel,
    OneSpike: neuron_models.PyOneSpikeModelFloat,
    OneSpikeMaxPool: neuron_models.PyMaxPoolModelFloat,
    OneSpikeProduct: neuron_models.PyProductModelFloat,
    OneSpikeReadout: neuron_models.PyReadoutModelFloat,
    OneSpikeSynapse: synapse_models.PySynapseModelFloat,
}
TABLES: dict[str, dict[type, type]] = {"fixed_pt": FIXED, "floating_pt": FLOATING}


def run_config(processes: list[AbstractProcess], precision: Precision) -> Loihi2SimCfg:
    """Run configuration for these processes; processes of other types are left to Lava's search by tag."""
    table = TABLES[precision]
    chosen: dict[Any, type] = {p: table[type(p)] for p in processes if type(p) in table}
    return Loihi2SimCfg(select_tag=precision, select_sub_proc_model=True, exception_proc_model_map=chosen)
