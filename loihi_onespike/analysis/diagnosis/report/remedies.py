"""Remedies in words: one sentence per layer and one for the network, from what was measured."""

from __future__ import annotations

from collections.abc import Callable
from math import ceil, log2

from loihi_onespike.analysis.diagnosis.causes import NAMES, Cause
from loihi_onespike.analysis.diagnosis.measuring.batch_runs import SwitchedRuns
from loihi_onespike.analysis.diagnosis.measuring.statistics import LayerStatistics, Tally
from loihi_onespike.analysis.diagnosis.model.build import RecordedBits
from loihi_onespike.analysis.diagnosis.report import remedy_search
from loihi_onespike.analysis.diagnosis.report.diagnosis_report import Diagnosis, LayerDiagnosis
from loihi_onespike.core.codes import V_BITS


def layer_sentence(
    layer: LayerDiagnosis, tally: Tally | None, run: SwitchedRuns, found: Diagnosis, bits: RecordedBits
) -> str:
    """Main cause of a layer and what would reduce it; empty where the layer loses nothing.

    Args:
        layer: result of the layer.
        tally: its sums; None for the input.
        run: the last batch, on which remedies are searched.
        found: the whole diagnosis.
        bits: widths that the network was converted with.
    """
    cause = layer.main
    if cause is None:
        return ""
    alone = _percent(found.share(layer.losses[cause].alone))
    share = f"{alone} of the network's error is that of {NAMES[cause]} here alone"
    if tally is None or layer.statistics is None:
        return f"{layer.name}: {share}; {_INPUT[cause]}"
    return f"{layer.name}: {share}; {_REMEDIES[cause](tally, layer.statistics, run, bits)}"


def network_sentence(found: Diagnosis) -> str:
    """Main cause of the whole network, and the layers where it is largest."""
    if found.main is None or found.total <= 0:
        return f"{found.network}: no loss on {found.images} images"
    cause = found.main
    loss = found.everywhere[cause]
    places = sorted((y for y in found.layers if cause in y.losses), key=lambda y: -y.losses[cause].alone)
    worst = ", ".join(y.name for y in places[:3])
    text = f"{found.network}: {_percent(found.share(loss.alone))} of the error is that of {NAMES[cause]} alone"
    gain = f"without it the error would shrink by {_percent(found.share(loss.value))}"
    return f"{text}, most in {worst}, and {gain}; {_GENERAL[cause]}"


def _underflow(tally: Tally, seen: LayerStatistics, run: SwitchedRuns, bits: RecordedBits) -> str:
    assert tally.layer.coder is not None
    code, values = tally.layer.coder.code, remedy_search.samples(tally)
    text = f"{_percent(seen.underflow)} of its active values send no spike"
    wanted = remedy_search.underflow(code, values) / 2
    more = remedy_search.timesteps_for_underflow(code, values, wanted)
    base = remedy_search.base_for_underflow(code, values, wanted)
    factor, clipped = remedy_search.scale_for_underflow(code, values, wanted)
    ways = [] if more is None else [f"T={more}"]
    ways += [] if base is None else [f"base {base:.2f}"]
    if factor is not None:
        ways.append(f"λ × {factor:.3g} ({_percent(clipped)} would then be clipped)")
    return f"{text}: {' or '.join(ways)} would halve that share" if ways else text


def _clipping(tally: Tally, seen: LayerStatistics, run: SwitchedRuns, bits: RecordedBits) -> str:
    assert tally.layer.coder is not None
    text = f"{_percent(seen.clipped)} of its active values lie above the first level"
    factor = remedy_search.scale_for_clipping(tally.layer.coder.code, remedy_search.samples(tally))
    return text if factor is None else f"{text}: λ × {factor:.3g} would halve that share"


def _rounding(tally: Tally, seen: LayerStatistics, run: SwitchedRuns, bits: RecordedBits) -> str:
    assert tally.layer.coder is not None
    code, values = tally.layer.coder.code, remedy_search.samples(tally)
    more, payload = (
        remedy_search.timesteps_for_rounding(code, values),
        remedy_search.payload_for_rounding(code, values),
    )
    ways = [] if more is None else [f"T={more} over the same range would halve that error"]
    if payload is not None:
        more_bits, left = payload
        if more_bits > bits.payload:
            way = f"payload_bits={more_bits}, on a board that sends payloads,"
        else:  # the conversion might have given the layer these bits, but they did not pay
            way = f"a lower price, with which it takes {more_bits} of the payload_bits={bits.payload},"
        ways.append(f"{way} would leave {_percent(left)} of it")
    return ": ".join(["its values fall between the levels", *([", or ".join(ways)] if ways else [])])


def _noise(tally: Tally, seen: LayerStatistics, run: SwitchedRuns, bits: RecordedBits) -> str:
    layer = tally.layer
    kinds = ", ".join(
        f"{_percent(share)} {name}"
        for name, share in (
            ("early", seen.early),
            ("late", seen.late),
            ("false", seen.false),
            ("missing", seen.missing),
        )
        if share
    )
    text = f"of its decisions {kinds or 'none'} differ from those on the whole input"
    wait = remedy_search.wait_for_noise(layer, run)
    return text if wait is None else f"{text}: wait={wait} would leave a tenth of these"


def _weights(tally: Tally, seen: LayerStatistics, run: SwitchedRuns, bits: RecordedBits) -> str:
    if bits.weights < 8:
        wider = remedy_search.bits_for_weights(tally.layer, run, bits.weights)
        return f"its weights have {bits.weights} bits: weight_bits={wider} would leave a tenth of their noise"
    return (
        "its weights have 8 bits, the largest width: corrected biases (method 'calibrated') or fine-tuning compensate "
        "a part"
    )


def _headroom(tally: Tally, seen: LayerStatistics, run: SwitchedRuns, bits: RecordedBits) -> str:
    needed = remedy_search.bits_of_v(tally.layer, run)
    if seen.v_bits >= V_BITS and needed > V_BITS:
        return (
            f"v requires {needed} bits, limit {V_BITS}: reduce base, T or weight_bits (to {max(bits.weights - 1, 2)})"
        )
    lost = seen.given_up_bits or max(ceil(log2(remedy_search.coarseness(tally.layer))), 1)
    bits_text = f"{lost} bit{'s' if lost > 1 else ''}"
    return f"weight precision reduced by {bits_text} ({V_BITS}-bit potential limit): reduce base or T"


_REMEDIES: dict[Cause, Callable[[Tally, LayerStatistics, SwitchedRuns, RecordedBits], str]] = {
    Cause.UNDERFLOW: _underflow,
    Cause.CLIPPING: _clipping,
    Cause.ROUNDING: _rounding,
    Cause.NOISE: _noise,
    Cause.WEIGHTS: _weights,
    Cause.HEADROOM: _headroom,
}
_INPUT = {
    Cause.CLIPPING: "values lie outside the range of the calibration data: calibrate on data like these",
    Cause.ROUNDING: "more input_bits give finer steps",
    Cause.UNDERFLOW: "input_code='binary' also sends small values",
}
_GENERAL = {
    Cause.UNDERFLOW: "more timesteps reach smaller values, and method 'calibrated' fits the levels to the activations",
    Cause.CLIPPING: "larger scales or calibration on more data reach larger values",
    Cause.ROUNDING: "more timesteps set the levels closer, and so do more payload_bits, without a longer period",
    Cause.NOISE: "with a longer wait, neurons decide on more of their input",
    Cause.WEIGHTS: "use more weight_bits (up to 8), or method 'calibrated', which compensates rounding",
    Cause.HEADROOM: "a smaller base, T or weight_bits reduces the width of v",
}


def _percent(share: float) -> str:
    return f"{100 * share:.2g} %" if abs(share) < 0.095 else f"{100 * share:.0f} %"
