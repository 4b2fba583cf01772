"""Event-driven kernel of one layer: every spike is scattered once, then the recursion runs over the window.

    sums[t, q, o]  weights of the spikes that reach channel o at place q of a block at step t

A neuron of a one-spike layer sends at most one spike in all phases together, so the work of the synapses does not grow
with T; only the few operations of the recursion do. The recursion runs on a block of a few output places at a time:
each step of a neuron depends on the one before, and in a block the steps of many neurons overlap. All numbers are
integers, so the result is exactly that of docs/arithmetic.md in any order of the sums. Compiled by numba;
`executors.threads.over_rows` runs it on ranges of images.
"""

from __future__ import annotations

import numpy as np

from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.fast.code_bits import MESSAGE_BITS, STEP_BITS
from loihi_onespike.executors.fast.event.simd_operations import (
    LANES,
    simd_add,
    simd_add_product,
    simd_decide,
    simd_decide_dip,
    simd_decide_signed,
    simd_integrate,
)

LARGEST_STEP = 2**28
"""Synaptic input beyond this saturates v from any state, as a gain of 16 makes at most 2^27 of v; pinning it keeps the
shifted sum within 32 bits."""
MOST = 2**MESSAGE_BITS - 1

# Columns of the table of synapse groups: input places and channels, bits as of `code_bits`, start in the
# source, width of a row of weights, and distance from the weights of a positive spike to those of a negative one.
PLACES, CHANNELS, BITS, SOURCE, WIDTH, NEGATED = range(6)

# Signs of the spikes of a layer: positive ones, both, both with far thresholds of the negative ones.
POSITIVE, SIGNED, DIPPED = range(3)

# The decorated functions have no type hints: numba infers types when it compiles.


@njit(error_model="numpy")
def _list_events(source, gather, columns, groups, span, start, weight, target, message):  # type: ignore[no-untyped-def]
    """List the spikes of one image by input place; start[place] is the number of the first spike of a place.

    A spike has two entries: `weight`, the place of its row of weights within the group, and `target`, the place of its
    first sum. In a layer with messages it has a third one, the size of its message. Appending has no branch: the entry
    is always written, and the counter moves on only for a spike.
    """
    n, g, place, column = 0, 0, 0, 0
    for s in range(groups.shape[0]):
        channels, bits, offset = groups[s, CHANNELS], groups[s, BITS], groups[s, SOURCE]
        width, negated = groups[s, WIDTH], groups[s, NEGATED]
        row = 0
        for _ in range(groups[s, PLACES]):
            start[place] = n
            for c in range(channels):
                i = gather[g + c]
                code = np.int64(source[offset + max(i, 0)]) if i >= 0 else 0
                if bits > 0:
                    steps, digit = bits & ((1 << STEP_BITS) - 1), bits >> STEP_BITS
                    for t in range(steps):
                        sent = (code >> (digit * (steps - 1 - t))) & ((1 << digit) - 1)
                        weight[n], target[n] = row, t * span + columns[column + c]
                        if message is not None:
                            message[n] = sent
                        n += sent != 0
                else:
                    phase = code if code >= 0 else -code
                    if message is not None:
                        message[n] = 1
                        if bits < 0:
                            message[n] = phase & MOST
                            phase = phase >> MESSAGE_BITS
                    weight[n] = row + (negated if code < 0 else 0)
                    target[n] = (phase - 1) * span + columns[column + c]
                    n += code != 0
                row += width
            g += channels
            place += 1
        column += channels
    start[place] = n


@njit(error_model="numpy")
def _scatter(sums, at, runs, first, last, groups, weights, start, weight, target, message):  # type: ignore[no-untyped-def]
    """Add the weights of all spikes in runs first..last of input places to the sums of the output place at `at`."""
    for r in range(first, last):
        width, delta = groups[runs[r, 0], WIDTH], runs[r, 3]
        low, high = start[runs[r, 1]], start[runs[r, 2]]
        if message is not None:
            for e in range(low, high):
                to, row = at + target[e], delta + weight[e]
                for o in range(0, width, LANES):
                    simd_add_product(sums, to + o, weights, row + o, message[e])
        elif width == LANES:
            for e in range(low, high):
                simd_add(sums, at + target[e], weights, delta + weight[e])
        elif width == 2 * LANES:
            for e in range(low, high):
                to, row = at + target[e], delta + weight[e]
                simd_add(sums, to, weights, row)
                simd_add(sums, to + LANES, weights, row + LANES)
        else:
            for e in range(low, high):
                to, row = at + target[e], delta + weight[e]
                for o in range(0, width, LANES):
                    simd_add(sums, to + o, weights, row + o)


@njit(error_model="numpy")
def _integrate(v, sums, first, lanes, mant, shift, limit, channels, padded, measured):  # type: ignore[no-untyped-def]
    """One input step of a block of `lanes` neurons; the largest |v| and |a_in| so far go into `measured`."""
    for o in range(0, lanes, LANES):
        simd_integrate(v, o, sums, first + o, mant, shift, limit)
    if measured.size > 0:
        for o in range(lanes):
            if o % padded < channels:
                measured[0] = max(measured[0], abs(np.int64(v[o])))
                measured[1] = max(measured[1], abs(np.int64(sums[first + o])))


@njit(error_model="numpy")
def _decide(sent, v, theta, negative, far, row, lanes, w, signs):  # type: ignore[no-untyped-def]
    """Send word w for the neurons of a block that are silent and reach their thresholds, which start at `row`."""
    if signs == POSITIVE:
        for o in range(0, lanes, LANES):
            simd_decide(sent, o, v, theta, row + o, w)
    elif signs == SIGNED:
        for o in range(0, lanes, LANES):
            simd_decide_signed(sent, o, v, theta, negative, row + o, w)
    else:
        for o in range(0, lanes, LANES):
            simd_decide_dip(sent, o, v, theta, negative, far, row + o, w)


@njit(error_model="numpy")
def _decide_phase(sent, v, theta, negative, far, at, stride, lanes, k, of_phase, signs, graded):  # type: ignore[no-untyped-def]
    """Send the words of phase k; thresholds of word 1 start at `at`, those of the next word `stride` further on.

    With payload all positive words come first. A neuron that is silent after them has reached none of their thresholds,
    so that the operation for both signs then sends the negative words alone.
    """
    if graded is None:
        _decide(sent, v, theta, negative, far, at + (k - 1) * stride, lanes, k, signs)
    else:
        first = (k - 1) * of_phase
        for w in range(first, first + of_phase):
            _decide(sent, v, theta, negative, far, at + w * stride, lanes, w + 1, POSITIVE)
        if signs != POSITIVE:
            for w in range(first, first + of_phase):
                _decide(sent, v, theta, negative, far, at + w * stride, lanes, w + 1, signs)


@njit(error_model="numpy")
def _record(out, values, first, places, padded, strides):  # type: ignore[no-untyped-def]
    """Copy the values of a block of places, which have padded channels last, to their places in the flat output."""
    place_stride, channel_stride, channels = strides
    for q in range(places):
        row, at = values[q * padded : q * padded + channels], (first + q) * place_stride
        if channel_stride == 1:
            target = out[at : at + channels]
            for o in range(channels):
                target[o] = row[o]
        else:
            for o in range(channels):
                out[at + o * channel_stride] = row[o]


@njit(error_model="numpy")
def run_layer(  # type: ignore[no-untyped-def]
    first_image, end_image, source, gather, columns, groups, runs, run_start, weights, bias, theta, negative, far, leak,
    window, flags, strides, narrow, graded, sent_out, v_out, peaks,
):  # fmt: skip
    """Code words, v at the window's end and peaks of one layer for some images.

    Args:
        first_image, end_image: range of images to work on.
        source: (B, inputs) integers as of `code_bits.kernel_codes` of all presynaptic populations side by side.
        gather: flat input of every (group, place, channel), -1 for none.
        columns: first output channel that each (group, input channel) reaches.
        groups: (groups, 6) int64, columns as named above.
        runs: (runs, 4) int64: group, first and last + 1 of neighbouring input places, and the number that is added to
            the `weight` entry of a spike to find its row in `weights`.
        run_start: (output places + 1,) first run of each output place.
        weights: int16 in units of 2^unit, rows of WIDTH output channels.
        bias: (places or 1, channels) int32, theta, negative, far: (L, places or 1, channels) int32; channels padded to
            LANES; values common to all places are repeated for a whole block.
        leak: (input steps,) int64 gains.
        window: input_shift, wait, T, code words of a phase, unit, and the number of output places of a block.
        flags: whether the layer spikes, POSITIVE, SIGNED or DIPPED, whether it returns v, and measures peaks.
        strides: distance of output places and of channels in the flat outputs, and the number of channels.
        narrow: empty array of the type of the sums; int16 where every sum fits into 16 bits.
        graded: None where all messages are ±1, and True where some have payload; numba compiles the kernel for each of
            the two, so that payload costs nothing where there is none.
        sent_out: (B, outputs) integers; v_out: (B, outputs) int32; peaks: (B, 2) int64 of |v| and |a_in|.
    """
    input_shift, wait, timesteps, of_phase, unit, block = window
    input_steps = len(leak)
    shift = input_shift + unit
    limit = LARGEST_STEP >> shift
    spiking, signs, keep_v, measure = flags
    channels = strides[2]
    steps = max(input_steps, wait + timesteps) if spiking else input_steps
    out_places = len(run_start) - 1
    shared_bias, shared_theta = bias.shape[0] == 1, theta.shape[1] == 1
    padded = bias.shape[1] // block if shared_bias else bias.shape[1]
    span = block * padded
    theta_row = span if shared_theta else theta.shape[1] * padded
    bias_flat, theta_flat = bias.reshape(-1), theta.reshape(-1)
    negative_flat, far_flat = negative.reshape(-1), far.reshape(-1)
    listed = 0
    spikes = 0
    for s in range(groups.shape[0]):
        listed += groups[s, PLACES]
        spikes += groups[s, PLACES] * groups[s, CHANNELS] * max(groups[s, BITS], 1)
    for b in range(first_image, end_image):
        start = np.empty(listed + 1, np.int64)
        weight, target = np.empty(spikes + 1, np.int32), np.empty(spikes + 1, np.int32)
        if graded is None:
            message = None
        else:
            message = np.empty(spikes + 1, np.int32)
        _list_events(source[b], gather, columns, groups, span, start, weight, target, message)
        sums = np.empty(input_steps * span, narrow.dtype)
        v, sent = np.empty(span, np.int32), np.empty(span, np.int32)
        measured = np.zeros(2 if measure else 0, np.int64)
        for p in range(0, out_places, block):
            places = min(block, out_places - p)
            lanes = places * padded
            sums[:] = 0
            for q in range(places):
                _scatter(
                    sums, q * padded, runs, run_start[p + q], run_start[p + q + 1], groups, weights, start, weight,
                    target, message,
                )  # fmt: skip
            first = 0 if shared_bias else p * padded
            v[:lanes] = bias_flat[first : first + lanes]
            sent[:] = 0
            for t in range(1, steps + 1):
                if t <= input_steps:
                    _integrate(v, sums, (t - 1) * span, lanes, leak[t - 1], shift, limit, channels, padded, measured)
                k = t - wait
                if spiking and 1 <= k <= timesteps:
                    at = 0 if shared_theta else p * padded
                    _decide_phase(
                        sent, v, theta_flat, negative_flat, far_flat, at, theta_row, lanes, k, of_phase, signs, graded
                    )
            if spiking:
                _record(sent_out[b], sent, p, places, padded, strides)
            if keep_v:
                _record(v_out[b], v, p, places, padded, strides)
        if measure:
            peaks[b, 0], peaks[b, 1] = measured[0], measured[1] << unit
