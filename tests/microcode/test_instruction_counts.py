"""Static counts: by hand for one program, and never exceeded by a run."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from loihi_onespike.core.codes import PayloadCode, ThresholdTable
from loihi_onespike.core.graphs.network import InputPopulation
from loihi_onespike.executors.microcode.microcode_executor import execute
from loihi_onespike.microcode import Interpreter, initial_state, instruction_counts, program_of
from loihi_onespike.microcode.examples import PAYLOAD_VARIANTS, VARIANTS, example
from loihi_onespike.microcode.instruction_counts import longest_path
from loihi_onespike.microcode.isa import Field, Op, Register
from loihi_onespike.microcode.neuron_state import StateLayout
from loihi_onespike.microcode.program import ProgramBuilder
from tests.strategies import random_case


def test_relay_by_hand() -> None:
    """T = 4, period 8. The window's first step: RDC RMW LT JUMP_C, three MOV, ADD (8); GE JUMP_C (2); ADD MIN LT SEL
    (4); EQ JUMP_C (2); GE JUMP_C (2); LT JUMP_C MOV SPIKE (4): 22. Steps 2 to 4 lack the MOVs: 19. From step 5 on
    RDC RMW LT JUMP_C ADD, GE JUMP_C, EQ JUMP_C, GE JUMP_C: 11.
    """
    network = example("ReLU, full wait", 4)
    counts = instruction_counts(network.hidden[1], network.period_steps)
    assert counts.per_step == (22, 19, 19, 19, 11, 11, 11, 11)
    assert (counts.program, counts.worst, counts.window, counts.rows) == (22, 22, 123, 1)
    assert counts.constants == len(["bias", "v_min", "v_max", "threshold"])


@pytest.mark.parametrize("variant", [*VARIANTS, *PAYLOAD_VARIANTS])
def test_every_step_of_a_run_keeps_its_bound(variant: str) -> None:
    """Neurons run step by step on random input; at many steps some neuron takes the most there is."""
    network = example(variant, 8)
    p, period = network.hidden[0], network.period_steps
    counts = instruction_counts(p, period)
    rng = np.random.default_rng(3)
    met = 0
    for n in range(0, p.shape[0], 2):
        state = {name: values[n : n + 1] for name, values in initial_state(p, 0, period).items()}
        core = Interpreter(program_of(p, period), state, graded_spikes=p.message_bits > 0)
        for step in range(3 * period):
            before = core.executed
            core.step(rng.integers(-300, 300, (len(p.membranes), 1)))
            bound = counts.per_step[step % period]
            assert core.executed - before <= bound
            met += core.executed - before == bound
    assert met > 3 * period


@pytest.mark.parametrize("seed", range(8))
def test_means_of_random_networks_keep_their_bound(seed: int) -> None:
    network, codes = random_case(seed)
    measured = execute(network, codes).measured
    for p in network.populations:
        if isinstance(p, InputPopulation):
            continue
        counts = instruction_counts(p, network.period_steps)
        assert 5 < measured[p.name].mean <= counts.worst
    assert set(measured) == {p.name for p in network.populations[1:]}


def test_the_longer_way_counts_wherever_it_stands() -> None:
    """x ≥ 0: LT JUMP_C ADD ADD EQ JUMP_C, the end: 2 + 6. x < 0: LT JUMP_C ADD EQ: 2 + 4, though it comes last."""
    clock, x, a = Field("clock"), Field("x"), Register("a")
    builder = ProgramBuilder("test", StateLayout.of({"x": 24, "clock": 8}))
    builder.emit(Op.RDC, out=a)
    builder.emit(Op.RMW, 0)
    builder.emit(Op.LT, x, 0)
    builder.jump("short")
    builder.emit(Op.ADD, x, 1, out=x)
    builder.emit(Op.ADD, x, a, out=x)
    builder.emit(Op.EQ, clock, clock)
    builder.jump("join")
    builder.label("short")
    builder.emit(Op.ADD, x, 1, out=x)
    builder.emit(Op.EQ, clock, clock)
    builder.label("join")
    assert longest_path(builder.build(), 1) == 8


def test_the_tree_grows_with_the_logarithm_of_the_timesteps() -> None:
    """From T = 8 to 16 one level more: LT and JUMP_C."""
    worst = [instruction_counts(example("ReLU, full wait", t).hidden[0], 2 * t).worst for t in (8, 16)]
    assert worst[1] - worst[0] == 2


def test_a_bit_of_payload_costs_a_comparison_more() -> None:
    """Beyond the words of one bit, every bit more is MUL_SHR, GE and JUMP_C; the widest search has the longest way."""
    hidden = example("ReLU, full wait, payload", 4).hidden[0]
    worst = []
    for bits in (1, 2, 3):
        code = PayloadCode.geometric(3.0, 4, bits)
        table = ThresholdTable.from_gains(np.sort(code.thresholds())[::-1] / code.thresholds().max())
        worst.append(instruction_counts(replace(hidden, code=code, table=table)).worst)
    assert np.diff(worst).tolist() == [3, 3]
