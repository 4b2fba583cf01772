"""Populations that are read together share one code."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from loihi_onespike.conversion.calibration.code_fit import (
    FACTORS,
    FIRST_LEVEL,
    ActivationValues,
    Payload,
    fit_codebook,
    fit_population,
)
from loihi_onespike.conversion.calibration.code_grid import SortedValues
from loihi_onespike.conversion.calibration.codebooks import codes_of_base, groups, payload_of, relative_code
from loihi_onespike.core.activations import Exp
from loihi_onespike.core.codes import Base, PhaseCode, SingleSpikeCode
from loihi_onespike.core.graphs.stage import Link, Stage
from loihi_onespike.core.maps import Dense, Pool
from loihi_onespike.core.maps.window import Window
from tests.support.stage_graphs import two_layers


def test_groups_follow_the_readers() -> None:
    graph = two_layers()
    assert [[s.name for s in group] for group in groups(graph)] == [["hidden"], ["signed"]]
    around = Link("hidden", Dense(np.ones((2, 3))), None, np.ones(()))
    output = replace(graph.output, links=(*graph.output.links, around))
    joined = replace(graph, stages=(*graph.stages[:-1], output))
    assert [[s.name for s in group] for group in groups(joined)] == [["hidden", "signed"]]


def test_pooled_populations_get_messages_for_which_the_window_has_room() -> None:
    """docs/arithmetic.md: d · (n - 1) ≤ 13, so 2 × 2 with messages up to 15, three in a row with messages up to 63."""
    (stage,) = groups(two_layers())[0]
    assert payload_of([stage], 0) is None
    assert payload_of([stage], 4) == Payload(4, 127)

    def pooled(*kernel: int) -> Stage:
        rank = len(kernel)
        window = Window(kernel, kernel, ((0, 0),) * rank, (1,) * rank)
        return replace(stage, kind="max_pool", links=(replace(stage.links[0], op=Pool(window, np.ones(()))),))

    assert payload_of([stage, pooled(2, 2)], 4) == Payload(3, 15)
    assert payload_of([stage, pooled(3)], 4) == Payload(4, 63)
    assert payload_of([stage, pooled(3, 3)], 4) is None


def test_codes_of_one_base_divide_each_phase_evenly() -> None:
    graph = two_layers()
    assert codes_of_base(graph, 2.0, 3)["hidden"] == PhaseCode(Base.nearest(2.0), 3)
    code = codes_of_base(graph, 3.0, 2, 1)["signed"]
    levels = code.levels()
    assert np.allclose(levels / levels[0], [1, 1 / 2, 1 / 3, 1 / 6], rtol=0.02) and code.payload_bits == 1
    found = codes_of_base(graph, 3.0, 2, {"hidden": 2, "signed": 0})
    assert {name: code.payload_bits for name, code in found.items()} == {"hidden": 2, "signed": 0}


def test_levels_with_payload_are_fitted_to_the_values() -> None:
    """32 levels of 4 phases and 8 messages leave less error than 16 phases without payload."""
    values = ActivationValues(SortedValues(np.abs(np.random.default_rng(0).normal(size=(4, 4000)))), np.full(4, 4.0))

    def error(code: SingleSpikeCode) -> float:
        factors = FACTORS * (FIRST_LEVEL / code.levels()[0])
        return fit_population(values, code.levels(), code.thresholds(), factors).error

    payload, plain = fit_codebook([values], 4, payload=Payload(3, 127)), fit_codebook([values], 16)
    assert payload.payload_bits == 3 and payload.timesteps == 4
    assert error(payload) < 0.4 * error(plain)


def test_exponentials_of_masked_keys_do_not_stretch_the_levels_of_the_others() -> None:
    """Half of the values are e^-50; the levels reach over the others, from 1 to 1/100."""
    stage = replace(groups(two_layers())[0][0], activation=Exp())
    kept = np.geomspace(1, 1e-2, 50)[None]
    masked = np.concatenate([np.full((1, 50), np.exp(-50)), kept], axis=1)

    def range_of(samples: np.ndarray) -> float:
        values = {stage.name: ActivationValues(SortedValues(samples), np.ones(1), False, False, False)}
        levels = relative_code([stage], values, 24, 0).levels()
        return float(levels[0] / levels[-1])

    assert range_of(masked) == range_of(kept) < 1000
