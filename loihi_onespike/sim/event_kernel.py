"""Event-driven kernel of one layer: every spike is scattered once, then the recursion runs over the window.

All phases of a one-spike layer together carry at most one spike per neuron, so the work of the synapses does not grow
with T; only the few operations of the recursion do. Compiled by numba, parallel over images, integers throughout: the
result is that of the contract to the bit, whatever the order of the sums.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

from loihi_onespike.sim.lanes import LANES, add_lanes, decide_lanes, integrate_lanes, subtract_lanes

LARGEST_STEP = 2**26
"""Synaptic input beyond this saturates v from any state; pinning it keeps the shifted sum within 32 bits."""

# Columns of the table of synapse groups.
PLACES, CHANNELS, TAPS, GROUP_OUT, GROUP_IN, WEIGHTS, BITS, SIGNED, SOURCE, OUT_PLACES = range(10)


@njit(cache=True, nogil=True, error_model="numpy")
def _list_events(source, gather, table, start, middle, channel, phase):  # type: ignore[no-untyped-def]
    """Spikes of every input place in order: channel and phase, positive ones first; start/middle/end per place.

    Appending is branch-free: the entry is written and kept only if it is a spike.
    """
    n = g = place = 0
    for s in range(table.shape[0]):
        channels, bits, offset = table[s, CHANNELS], table[s, BITS], table[s, SOURCE]
        for _ in range(table[s, PLACES]):
            start[place] = n
            for c in range(channels):
                i = gather[g + c]
                if i < 0:
                    continue
                code = source[offset + i]
                if bits > 0:
                    for t in range(bits):
                        channel[n], phase[n] = c, t
                        n += (code >> (bits - 1 - t)) & 1
                else:
                    channel[n], phase[n] = c, code - 1
                    n += code > 0
            middle[place] = n
            if table[s, SIGNED] > 0:
                for c in range(channels):
                    i = gather[g + c]
                    if i < 0:
                        continue
                    code = source[offset + i]
                    channel[n], phase[n] = c, -code - 1
                    n += code < 0
            g += channels
            place += 1
    start[place] = n


@njit(cache=True, nogil=True, error_model="numpy")
def _scatter(sums, padded, p, table, places, rows, weights, start, middle, channel, phase):  # type: ignore[no-untyped-def]
    """Add the weights of every spike that reaches output place p to the sums of its phase, (input steps · padded,)."""
    first_tap = first_place = 0
    for s in range(table.shape[0]):
        taps, channels = table[s, TAPS], table[s, CHANNELS]
        out, into, base = table[s, GROUP_OUT], table[s, GROUP_IN], table[s, WEIGHTS]
        for k in range(first_tap + p * taps, first_tap + (p + 1) * taps):
            place = places[k]
            if place < 0:
                continue
            w = base + rows[k] * channels * out
            low, mid, high = start[first_place + place], middle[first_place + place], start[first_place + place + 1]
            if into == channels:
                for e in range(low, mid):
                    at, first = np.int64(phase[e]) * out, w + channel[e] * out
                    for o in range(0, out, LANES):
                        add_lanes(sums, at + o, weights, first + o)
                for e in range(mid, high):
                    at, first = np.int64(phase[e]) * out, w + channel[e] * out
                    for o in range(0, out, LANES):
                        subtract_lanes(sums, at + o, weights, first + o)
            else:
                for e in range(low, high):
                    row = w + channel[e] * out
                    target = np.int64(phase[e]) * padded + (channel[e] // into) * out
                    sign = 1 if e < mid else -1
                    for o in range(out):
                        sums[target + o] += sign * weights[row + o]
        first_tap += table[s, OUT_PLACES] * taps
        first_place += table[s, PLACES]


@njit(parallel=True, cache=True, nogil=True, error_model="numpy")
def run_layer(  # type: ignore[no-untyped-def]
    source,
    gather,
    table,
    places,
    rows,
    weights,
    bias,
    theta,
    negative,
    leak,
    window,
    flags,
    strides,
    sent_out,
    v_out,
    peaks,
):
    """Spike phases, v at the window's end and peaks of one layer for every image.

    Args:
        source: (B, inputs) int32 codes or phases of all presynaptic populations side by side.
        gather: flat input of every (group, place, channel), -1 for none.
        table: (groups, 10) int64, columns as named above.
        places, rows: input place (or -1) and row of weights of every (group, output place, tap).
        weights: int16, all groups, (tap, channel, output channel padded to LANES).
        bias: (places or 1, channels) int32; theta, negative: (T, places or 1, channels) int32.
        leak: (input steps,) int64 gains; window: input_shift, wait, T.
        flags: spiking, signed, keep v, measure peaks.
        strides: distance of output places and of channels in the flat outputs, and the number of channels.
        sent_out: (B, outputs) int16; v_out: (B, outputs) int32; peaks: (B, 2) int64 of |v| and |a_in|.
    """
    input_shift, wait, timesteps = window
    input_steps = len(leak)
    spiking, signed, keep_v, measure = flags
    place_stride, channel_stride, channels = strides
    steps = max(input_steps, wait + timesteps) if spiking else input_steps
    out_places = table[0, OUT_PLACES]
    limit = LARGEST_STEP >> input_shift
    theta_flat, negative_flat = theta.reshape(-1), negative.reshape(-1)
    listed = 0
    spikes = 0
    for s in range(table.shape[0]):
        listed += table[s, PLACES]
        spikes += table[s, PLACES] * table[s, CHANNELS] * max(table[s, BITS], 1)
    for b in prange(len(source)):
        start, middle = np.empty(listed + 1, np.int64), np.empty(listed + 1, np.int64)
        channel, phase = np.empty(spikes + 1, np.int32), np.empty(spikes + 1, np.int32)
        _list_events(source[b], gather, table, start, middle, channel, phase)
        padded = bias.shape[1]
        sums = np.zeros(input_steps * padded, np.int32)
        by_step = sums.reshape(input_steps, padded)
        v, sent = np.empty(padded, np.int32), np.empty(padded, np.int32)
        peak = input_peak = np.int64(0)
        for p in range(out_places):
            sums[:] = 0
            _scatter(sums, padded, p, table, places, rows, weights, start, middle, channel, phase)
            p_bias = p if bias.shape[0] > 1 else 0
            p_theta = p if theta.shape[1] > 1 else 0
            v[:] = bias[p_bias]
            sent[:] = 0
            for t in range(1, steps + 1):
                if t <= input_steps:
                    for o in range(0, padded, LANES):
                        integrate_lanes(v, o, sums, (t - 1) * padded + o, leak[t - 1], input_shift, limit)
                    if measure:
                        for o in range(channels):
                            peak = max(peak, abs(np.int64(v[o])))
                            input_peak = max(input_peak, abs(np.int64(by_step[t - 1, o])))
                k = t - wait
                if spiking and 1 <= k <= timesteps:
                    row = ((k - 1) * theta.shape[1] + p_theta) * padded
                    for o in range(0, padded, LANES):
                        decide_lanes(sent, o, v, theta_flat, row + o, 1, k)
                        if signed:
                            decide_lanes(sent, o, v, negative_flat, row + o, -1, -k)
            at = p * place_stride
            for o in range(channels):
                if spiking:
                    sent_out[b, at + o * channel_stride] = sent[o]
                if keep_v:
                    v_out[b, at + o * channel_stride] = v[o]
        peaks[b, 0] = peak
        peaks[b, 1] = input_peak
