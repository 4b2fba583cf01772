"""The recursion of single neurons, for those that the bounds of `bounded_layer` leave undecided."""

from __future__ import annotations

import numpy as np
from numba import njit

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, V_MIN
from loihi_onespike.executors.float.quantize_kernel import UNDECIDED

# Columns of the table of synapse groups.
PLACES, CHANNELS, TAPS, GROUP_OUT, GROUP_IN, WEIGHTS, BITS, SOURCE, OUT_PLACES = range(9)

# The decorated functions have no type hints: numba infers types when it compiles.


@njit(cache=True, nogil=True, error_model="numpy")
def _inputs(sums, source, gather, table, places, rows, weights, p, o):  # type: ignore[no-untyped-def]
    """Synaptic input of channel o at output place p at every step; sums[0] collects what is silent."""
    first_tap = first_input = 0
    for s in range(table.shape[0]):
        taps, channels, bits = table[s, TAPS], table[s, CHANNELS], table[s, BITS]
        out, into, base, offset = table[s, GROUP_OUT], table[s, GROUP_IN], table[s, WEIGHTS], table[s, SOURCE]
        start = 0 if into == channels else (o // out) * into
        for k in range(first_tap + p * taps, first_tap + (p + 1) * taps):
            if places[k] < 0:
                continue
            at = first_input + places[k] * channels + start
            w = base + (rows[k] * out + (o if into == channels else o % out)) * channels + start
            row, inputs = weights[w : w + into], gather[at : at + into]
            if bits > 0:
                for c in range(into):
                    code = np.int64(source[offset + inputs[c]]) if inputs[c] >= 0 else 0
                    for t in range(bits):
                        sums[t + 1] += np.int64(row[c]) * ((code >> (bits - 1 - t)) & 1)
            else:
                for c in range(into):
                    code = np.int64(source[offset + inputs[c]]) if inputs[c] >= 0 else 0
                    weight = np.int64(row[c])
                    sums[abs(code)] += weight if code >= 0 else -weight
        first_tap += table[s, OUT_PLACES] * taps
        first_input += table[s, PLACES] * channels


@njit(cache=True, nogil=True, error_model="numpy")
def settle(  # type: ignore[no-untyped-def]
    first_image, end_image, source, gather, table, places, rows, weights, bias, theta, negative, leak, input_shift,
    signed, z, rest, factor, offset, slack, limit, sent, counts,
):  # fmt: skip
    """Replace every UNDECIDED phase by that of the exact recursion.

    Args:
        first_image, end_image: range of images to work on.
        source: as in `event_kernel.run_layer`.
        gather … weights: of `exact_tables`: input of every (group, place, channel), groups, input place and row of
            weights of every (group, output place, tap), and int16 weights, those of one neuron side by side.
        bias, theta, negative: (places or 1, channels) and (T, places or 1, channels) int32; leak: (steps,) int64.
        z … limit: as in `quantize_kernel.decide`.
        sent: (images, places, channels) int16, overwritten where UNDECIDED.
        counts: (images, 2) int64: neurons settled, and neurons whose potential was not within its bounds.
    """
    steps, timesteps = len(leak), theta.shape[0]
    for n in range(first_image, end_image):
        sums = np.zeros(steps + 1, np.int64)
        settled = wrong = 0
        for p in range(sent.shape[1]):
            for o in range(sent.shape[2]):
                if sent[n, p, o] != UNDECIDED:
                    continue
                sums[:] = 0
                _inputs(sums, source[n], gather, table, places, rows, weights, p, o)
                v = np.int64(bias[p if bias.shape[0] > 1 else 0, o])
                for t in range(steps):
                    v = min(max(((v * leak[t]) >> LEAK_SHIFT) + (sums[t + 1] << input_shift), V_MIN), V_MAX)
                q = p if theta.shape[1] > 1 else 0
                phase = 0
                for k in range(timesteps):
                    if v >= theta[k, q, o]:
                        phase = k + 1
                        break
                    if signed and -v >= negative[k, q, o]:
                        phase = -k - 1
                        break
                sent[n, p, o] = phase
                settled += 1
                r = p if offset.shape[0] > 1 else 0
                y = np.float64(z[n, p, o]) + (np.float64(rest[n, p, o]) if rest.shape[0] > 0 else 0.0)
                y = y * factor[r, o] + offset[r, o]
                # factor = gain per unit of the threshold: v in the same units is v / threshold
                found = v * limit[1, r, o]
                wrong += (abs(y) <= limit[0, r, o]) & (abs(found - y) > slack[r, o])
        counts[n, 0], counts[n, 1] = settled, wrong
