"""Exact recursion of the single neurons that the bounds of `bounded_layer` leave undecided."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.codes import LEAK_SHIFT, V_MAX, V_MIN
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.fast.code_bits import MESSAGE_BITS, STEP_BITS
from loihi_onespike.executors.fast.event.event_kernel import DIPPED, POSITIVE
from loihi_onespike.executors.float.quantize_kernel import UNDECIDED

# Columns of the table of synapse groups.
PLACES, CHANNELS, TAPS, GROUP_OUT, GROUP_IN, WEIGHTS, BITS, SOURCE, OUT_PLACES = range(9)

MOST = 2**MESSAGE_BITS - 1

# The decorated functions have no type hints: numba infers types when it compiles.


@njit(error_model="numpy")
def _inputs(sums, source, gather, table, places, rows, weights, p, o):  # type: ignore[no-untyped-def]
    """Add the synaptic input of channel o at output place p to sums[t] of every step t; sums[0] is of silent inputs."""
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
                steps, digit = bits & ((1 << STEP_BITS) - 1), bits >> STEP_BITS
                for c in range(into):
                    code = np.int64(source[offset + inputs[c]]) if inputs[c] >= 0 else 0
                    for t in range(steps):
                        sums[t + 1] += np.int64(row[c]) * ((code >> (digit * (steps - 1 - t))) & ((1 << digit) - 1))
            elif bits < 0:
                for c in range(into):
                    code = np.int64(source[offset + inputs[c]]) if inputs[c] >= 0 else 0
                    size = code if code >= 0 else -code
                    product = np.int64(row[c]) * (size & MOST)
                    sums[size >> MESSAGE_BITS] += product if code >= 0 else -product
            else:
                for c in range(into):
                    code = np.int64(source[offset + inputs[c]]) if inputs[c] >= 0 else 0
                    weight = np.int64(row[c])
                    sums[abs(code)] += weight if code >= 0 else -weight
        first_tap += table[s, OUT_PLACES] * taps
        first_input += table[s, PLACES] * channels


@njit(error_model="numpy")
def decide_exactly(  # type: ignore[no-untyped-def]
    first_image, end_image, source, gather, table, places, rows, weights, bias, theta, negative, far, leak,
    input_shift, of_phase, signs, z, rest, factor, offset, slack, limit, sent, counts,
):  # fmt: skip
    """Replace every UNDECIDED phase by that of the exact recursion.

    Args:
        first_image, end_image: range of images to work on.
        source: as in `event_kernel.run_layer`.
        gather, table, places, rows, weights: the tables of `undecided_tables.exact_tables`.
        bias: (places or 1, channels) int32; theta, negative, far: (L, places or 1, channels) int32; leak: (steps,)
            int64.
        input_shift: left shift of the synaptic input.
        of_phase: code words of a phase.
        signs: POSITIVE, SIGNED or DIPPED, see `event_kernel`.
        z, rest, factor, offset, slack: as in `quantize_kernel.decide_by_bounds`, which calls the offset `bias`.
        limit: (2, places or 1, channels) float32: limit on |y|, and 1 / threshold.
        sent: (images, places, channels) int16, overwritten where UNDECIDED.
        counts: (images, 2) int64: neurons decided here, and neurons whose potential was not within its bounds.
    """
    steps, timesteps = len(leak), theta.shape[0] // of_phase
    for n in range(first_image, end_image):
        sums = np.zeros(steps + 1, np.int64)
        decided = wrong = 0
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
                word = 0
                for k in range(timesteps):
                    for w in range(k * of_phase, (k + 1) * of_phase):
                        if v >= theta[w, q, o]:
                            word = w + 1
                            break
                    if signs != POSITIVE and word == 0:
                        for w in range(k * of_phase, (k + 1) * of_phase):
                            if -v >= negative[w, q, o] and (signs != DIPPED or -v <= far[w, q, o]):
                                word = -w - 1
                                break
                    if word != 0:
                        break
                sent[n, p, o] = word
                decided += 1
                r = p if offset.shape[0] > 1 else 0
                y = np.float64(z[n, p, o]) + (np.float64(rest[n, p, o]) if rest.shape[0] > 0 else 0.0)
                y = y * factor[r, o] + offset[r, o]
                # y is in units of the threshold, and so is v / threshold.
                found = v * limit[1, r, o]
                wrong += (abs(y) <= limit[0, r, o]) & (abs(found - y) > slack[r, o])
        counts[n, 0], counts[n, 1] = decided, wrong
