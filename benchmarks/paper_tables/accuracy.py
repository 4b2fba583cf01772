"""Tables I to IV, VI and VII: accuracy and energy at one T and base, by the paper's method and by the default one."""

from __future__ import annotations

from benchmarks.paper_tables.experiment import Experiment, base_text, default, method_name, paper
from benchmarks.paper_tables.table import Row, Table
from loihi_onespike.conversion.options import ConversionOptions


def float_table(experiment: Experiment, timesteps: int, base: float, title: str) -> Table:
    """Tables I to IV: float weights, full wait, binary input; α by Eq. 6 in FP32.

    Args:
        experiment: model and data.
        timesteps: T.
        base: Q of the paper's method.
        title: title of the table.
    """
    rows = [_float_row(experiment, options) for options in (paper(timesteps, base), default(timesteps))]
    return Table(title, rows, ("float weights, full wait; 95 % Wilson intervals in brackets",), experiment.facts)


def _float_row(experiment: Experiment, options: ConversionOptions) -> Row:
    result = experiment.float_result(options)
    return {
        "method": method_name(options),
        "input": options.input_code,
        "Q": base_text(options),
        "T": options.timesteps,
        "SNN": result.accuracy,
        "loss pp": experiment.loss_pp(result.accuracy),
        "agreement %": 100 * result.agreement.value,
        "spikes": result.spikes_per_neuron,
        "α": result.alpha,
    }


def int8(experiment: Experiment, timesteps: int, base: float) -> Table:
    """Table VI: the same network with float weights and with INT8 weights in integer arithmetic.

    Args:
        experiment: model and data.
        timesteps: T.
        base: Q of the paper's method.
    """
    rows: list[Row] = []
    for options in (paper(timesteps, base), default(timesteps)):
        real, integer = experiment.float_result(options), experiment.integer_result(options)
        rows.append(
            {
                "method": method_name(options),
                "Q": base_text(options),
                "T": timesteps,
                "FP32": real.accuracy,
                "INT8": integer.accuracy,
                "loss INT8 pp": experiment.loss_pp(integer.accuracy),
                "spikes": integer.hidden_spikes_per_neuron,
                "α INT8": integer.alpha_all_int8,
            }
        )
    return Table("Table VI: weights quantized to INT8", rows, ("full wait",), experiment.facts)


def single_spike_input(experiment: Experiment, timesteps: int, base: float) -> Table:
    """Table VII: one spike per input value compared with the binary input.

    Args:
        experiment: model and data.
        timesteps: T.
        base: Q of the paper's method.
    """
    settings = [
        make
        for code in ("single", "binary")
        for make in (paper(timesteps, base, input_code=code), default(timesteps, input_code=code))
    ]
    rows = [_float_row(experiment, options) for options in settings]
    notes = ("float weights, full wait; the paper's table has the rows with the single input",)
    return Table("Table VII: one spike per input value", rows, notes, experiment.facts)
