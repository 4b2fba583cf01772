"""Exact recursion of the single neurons of a graph network that the bounds leave undecided."""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.codes import V_MAX, V_MIN
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.fast.code_bits import MESSAGE_BITS, STEP_BITS
from loihi_onespike.executors.float.quantize_kernel import UNDECIDED

MOST = 2**MESSAGE_BITS - 1

# The decorated functions have no type hints: numba infers types when it compiles.


@njit()
def _final(sums, bias, leak, factor):  # type: ignore[no-untyped-def]
    """v after the last input step from the synaptic inputs sums[1] …, as in `gnn_kernel.recursion`."""
    v = float(bias)
    for t in range(leak.shape[0]):
        v = min(max(np.floor(v * leak[t]) + sums[t + 1] * factor, float(V_MIN)), float(V_MAX))
    return v


@njit()
def _word(v, own, below, table, negative, far, of_phase, signed):  # type: ignore[no-untyped-def]
    """First word whose threshold the final v reaches, negative for a negative spike, 0 for none."""
    for first in range(0, table.shape[0], of_phase):
        for w in range(first, first + of_phase):
            if v >= np.floor(own * table[w]):
                return w + 1
        if signed:
            for w in range(first, first + of_phase):
                if -v >= np.floor(below * negative[w]) and (far.shape[0] == 0 or -v <= np.floor(below * far[w])):
                    return -w - 1
    return 0


@njit()
def _outside(v, z, n, f, bounds):  # type: ignore[no-untyped-def]
    """Whether v / threshold lies outside of the interval that it was proven to lie in."""
    factor, offset, slack, limit, unit = bounds
    r = np.int64(n) if offset.shape[0] > 1 else np.int64(0)
    y = np.float64(z) * factor[r, f] + offset[r, f]
    return (abs(y) <= limit[r, f]) & (abs(v * unit[r, f] - y) > slack[r, f])


@njit()
def decide_aggregation_exactly(  # type: ignore[no-untyped-def]
    first_feature, end_feature, indptr, indices, weights, columns, messages, nodes, start, bias, threshold, below, leak,
    factor, table, negative, far, of_phase, signed, z, bounds, sent, counts,
):  # fmt: skip
    """Replace every UNDECIDED phase of a layer behind a sparse map along the nodes.

    Args:
        columns: (features, nodes of the input) phases, or phases and messages as of `code_bits.kernel_codes`.
        messages: whether there are messages.
        nodes, start: undecided nodes, those of feature f at start[f]..start[f + 1].
        bias, threshold, below, z, sent: (nodes, features); `below` is the factor of the thresholds of negative spikes.
        leak: (input steps,) gain per step, real; factor: 2^input_shift.
        table, negative, far: (L,) factors of the threshold; far is empty where negative spikes have no far end.
        of_phase: code words of a phase.
        bounds: factor, offset, slack, limit and unit, (nodes or 1, features) each.
        counts: (features, 2) neurons decided here, and neurons whose potential was not within its bounds.
    """
    for f in range(first_feature, end_feature):
        steps = leak.shape[0]
        sums, by_phase = np.empty(steps + 1, np.int64), np.empty(2 * steps + 1, np.int64)
        column = columns[f]
        for i in range(start[f], start[f + 1]):
            n = nodes[i]
            by_phase[:] = 0
            if messages:
                for e in range(indptr[n], indptr[n + 1]):
                    code = np.int64(column[indices[e]])
                    by_phase[(abs(code) >> MESSAGE_BITS) + steps] += weights[e] * (abs(code) & MOST) * np.sign(code)
            else:
                for e in range(indptr[n], indptr[n + 1]):
                    by_phase[column[indices[e]] + steps] += weights[e]
            for t in range(1, steps + 1):
                sums[t] = by_phase[steps + t] - by_phase[steps - t]
            v = _final(sums, bias[n, f], leak, factor)
            sent[n, f] = _word(v, threshold[n, f], below[n, f], table, negative, far, of_phase, signed)
            counts[f, 0] += 1
            counts[f, 1] += _outside(v, z[n, f], n, f, bounds)


@njit()
def decide_entries_exactly(  # type: ignore[no-untyped-def]
    first_node, end_node, indptr, indices, codes, bits, weights, bias, threshold, below, leak, factor, table,
    negative, far, of_phase, signed, z, bounds, sent, counts,
):  # fmt: skip
    """Replace every UNDECIDED phase of a layer behind a dense map of a sparse input in digits.

    Args:
        indptr, indices, codes: the stored entries of the input, as in a CSR matrix (nodes, inputs).
        bits: number of digits of a code and their bits, as of `code_bits`.
        weights: (inputs, features).
        counts: (nodes, 2) neurons decided here, and neurons whose potential was not within its bounds.

    The other arguments are those of `decide_aggregation_exactly`.
    """
    steps, digit = bits & ((1 << STEP_BITS) - 1), bits >> STEP_BITS
    for n in range(first_node, end_node):
        sums = np.empty(leak.shape[0] + 1, np.int64)
        for f in range(sent.shape[1]):
            if sent[n, f] != UNDECIDED:
                continue
            sums[:] = 0
            for e in range(indptr[n], indptr[n + 1]):
                w, code = np.int64(weights[indices[e], f]), np.int64(codes[e])
                for t in range(steps):
                    sums[t + 1] += w * ((code >> (digit * (steps - 1 - t))) & ((1 << digit) - 1))
            v = _final(sums, bias[n, f], leak, factor)
            sent[n, f] = _word(v, threshold[n, f], below[n, f], table, negative, far, of_phase, signed)
            counts[n, 0] += 1
            counts[n, 1] += _outside(v, z[n, f], n, f, bounds)
