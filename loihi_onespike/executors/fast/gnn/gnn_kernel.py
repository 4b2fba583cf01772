"""Kernels of one layer of a graph network: synaptic inputs of a block of nodes, then the recursion.

    sums[n, t, f]  weights of the spikes that reach neuron f of node n at phase t; t = 0 is for silent neurons

Work on one block of nodes at a time keeps the memory small for graphs of any size. Since a neuron spikes once, one pass
over the synapses serves all phases. All numbers are integers, so the results equal the oracle's to the bit. Compiled by
numba; `executors.threads.over_rows` runs them on ranges of the nodes of a block, first_node to end_node.
"""

from __future__ import annotations

import numpy as np

from loihi_onespike.core.codes import V_MAX, V_MIN
from loihi_onespike.executors.compiled import njit
from loihi_onespike.executors.fast.code_bits import MESSAGE_BITS, STEP_BITS

MOST = 2**MESSAGE_BITS - 1

# The decorated functions have no type hints: numba infers types when it compiles.


@njit(inline="always")
def _spread(acc, code, bits, signed, weights):  # type: ignore[no-untyped-def]
    """Add `weights` at every phase at which a neuron with this code (see `code_bits`) spikes."""
    if bits > 0:
        steps, digit = bits & ((1 << STEP_BITS) - 1), bits >> STEP_BITS
        for t in range(1, steps + 1):
            sent = (code >> (digit * (steps - t))) & ((1 << digit) - 1)
            if sent:
                row = acc[t]
                for f in range(row.shape[0]):
                    row[f] += weights[f] * sent
    elif bits < 0:
        row, message = acc[abs(code) >> MESSAGE_BITS], (abs(code) & MOST) * np.sign(code)
        for f in range(row.shape[0]):
            row[f] += weights[f] * message
    elif code > 0:
        row = acc[code]
        for f in range(row.shape[0]):
            row[f] += weights[f]
    elif signed and code < 0:
        row = acc[-code]
        for f in range(row.shape[0]):
            row[f] -= weights[f]


@njit()
def list_spikes(first_node, end_node, phases, sign, start, places):  # type: ignore[no-untyped-def]
    """Places |phase| · features + feature of all spikes of one sign, those of node n at start[n]..start[n + 1]."""
    features = phases.shape[1]
    for n in range(first_node, end_node):
        at = start[n]
        for f in range(features):
            k = np.int64(phases[n, f]) * sign
            if k > 0:
                places[at] = np.uint32(k * features + f)
                at += 1


@njit()
def aggregate(first_node, end_node, sums, first, indptr, indices, weights, sign, start, places):  # type: ignore[no-untyped-def]
    """Sparse map along the nodes of one-spike neurons, from their listed spikes; sums (nodes, phases · features)."""
    for n in range(first_node, end_node):
        acc = sums[n]
        for e in range(indptr[first + n], indptr[first + n + 1]):
            w = weights[e] * sign
            node = indices[e]
            for i in range(start[node], start[node + 1]):
                acc[places[i]] += w


@njit()
def list_messages(first_node, end_node, codes, start, places, messages):  # type: ignore[no-untyped-def]
    """Places phase · features + feature and messages of all spikes, those of node n at start[n]..start[n + 1]."""
    features = codes.shape[1]
    for n in range(first_node, end_node):
        at = start[n]
        for f in range(features):
            code = np.int64(codes[n, f])
            if code != 0:
                places[at] = np.uint32((abs(code) >> MESSAGE_BITS) * features + f)
                messages[at] = (abs(code) & MOST) * np.sign(code)
                at += 1


@njit()
def aggregate_messages(  # type: ignore[no-untyped-def]
    first_node, end_node, sums, first, indptr, indices, weights, start, places, messages
):
    """Sparse map along the nodes of neurons with payload, from their listed spikes, as `aggregate`."""
    for n in range(first_node, end_node):
        acc = sums[n]
        for e in range(indptr[first + n], indptr[first + n + 1]):
            w = weights[e]
            node = indices[e]
            for i in range(start[node], start[node + 1]):
                acc[places[i]] += w * messages[i]


@njit()
def aggregate_codes(first_node, end_node, sums, first, indptr, indices, weights, codes, bits):  # type: ignore[no-untyped-def]
    """Sparse map along the nodes of an input in digits; codes (nodes, features)."""
    steps, digit = bits & ((1 << STEP_BITS) - 1), bits >> STEP_BITS
    for n in range(first_node, end_node):
        acc = sums[n]
        for e in range(indptr[first + n], indptr[first + n + 1]):
            w = weights[e]
            code = codes[indices[e]]
            for t in range(1, steps + 1):
                row = acc[t]
                for f in range(row.shape[0]):
                    row[f] += w * ((code[f] >> (digit * (steps - t))) & ((1 << digit) - 1))


@njit()
def dense_of_sparse(first_node, end_node, sums, first, indptr, indices, codes, bits, weights):  # type: ignore[no-untyped-def]
    """Dense map of the stored entries of a sparse input; weights (inputs, outputs)."""
    for n in range(first_node, end_node):
        for e in range(indptr[first + n], indptr[first + n + 1]):
            if codes[e] != 0:
                _spread(sums[n], codes[e], bits, False, weights[indices[e]])


@njit()
def dense(first_node, end_node, sums, first, codes, bits, signed, weights):  # type: ignore[no-untyped-def]
    """Dense map of codes (nodes, inputs); weights (inputs, outputs)."""
    for n in range(first_node, end_node):
        code = codes[first + n]
        for i in range(code.shape[0]):
            if code[i] != 0:
                _spread(sums[n], code[i], bits, signed, weights[i])


@njit()
def diagonal(first_node, end_node, sums, first, codes, bits, signed, weights):  # type: ignore[no-untyped-def]
    """One synapse per neuron; weights (nodes, features)."""
    for n in range(first_node, end_node):
        code, w = codes[first + n], weights[first + n]
        for f in range(code.shape[0]):
            _spread(sums[n, :, f : f + 1], code[f], bits, signed, w[f : f + 1])


@njit(inline="always")
def _integrate(v, a_in, gain, factor):  # type: ignore[no-untyped-def]
    """saturate(floor(v · gain) + a_in · factor) in float64, where every product is exact and loops are vector loops."""
    for f in range(v.shape[0]):
        v[f] = min(max(np.floor(v[f] * gain) + a_in[f] * factor, float(V_MIN)), float(V_MAX))


@njit(inline="always")
def _decide(sent, v, own, table, word, sign):  # type: ignore[no-untyped-def]
    """`word` for every neuron that is silent so far and reaches its threshold: sign · v ≥ floor(own · table)."""
    for f in range(v.shape[0]):
        reached = (sent[f] == 0) & (v[f] * sign >= np.floor(own[f] * table))
        sent[f] = word if reached else sent[f]


@njit(inline="always")
def _decide_between(sent, v, own, near, far, word):  # type: ignore[no-untyped-def]
    """`word` for every neuron that is silent so far, with floor(own · near) ≤ -v ≤ floor(own · far)."""
    for f in range(v.shape[0]):
        reached = (sent[f] == 0) & (-v[f] >= np.floor(own[f] * near)) & (-v[f] <= np.floor(own[f] * far))
        sent[f] = word if reached else sent[f]


@njit()
def recursion(  # type: ignore[no-untyped-def]
    first_node, end_node, sums, first, bias, threshold, below, leak, window, table, negative, far, flags, sent, v_end,
    peaks,
):  # fmt: skip
    """Integrate, decide and record a block of nodes.

    Args:
        first_node, end_node: range of nodes of the block.
        sums: (block, input steps + 1, features) synaptic inputs.
        first: node of the graph that is the first of the block.
        bias, threshold, below: (nodes, features); the last one is the factor of the thresholds of negative spikes.
        leak: (input steps,) gain per step, real.
        window: input_shift, wait, timesteps, code words of a phase.
        table, negative, far: (L,) factors of the threshold; far is empty where negative spikes have no far end.
        flags: whether the layer spikes, sends negative spikes, returns v, and measures peaks.
        sent, v_end: (nodes, features) results: code words, and v at the end of the window.
        peaks: (block, 2) largest |v| and |a_in|.
    """
    input_shift, wait, timesteps, of_phase = window
    input_steps = leak.shape[0]
    spiking, signed, keep_v, measure = flags
    factor = 2.0**input_shift
    features = sums.shape[2]
    for n in range(first_node, end_node):
        v, own, under, word = np.empty(features), np.empty(features), np.empty(features), np.zeros(features)
        for f in range(features):
            v[f] = bias[first + n, f]
            own[f] = threshold[first + n, f]
            under[f] = below[first + n, f]
        for t in range(1, max(input_steps, wait + timesteps) + 1):
            if t <= input_steps:
                _integrate(v, sums[n, t], leak[t - 1], factor)
                if measure:
                    for f in range(features):
                        peaks[n, 0] = max(peaks[n, 0], np.int64(abs(v[f])))
                        peaks[n, 1] = max(peaks[n, 1], abs(np.int64(sums[n, t, f])))
            k = t - wait
            if spiking and 1 <= k <= timesteps:
                for w in range((k - 1) * of_phase, k * of_phase):
                    _decide(word, v, own, table[w], float(w + 1), 1.0)
                if signed:
                    for w in range((k - 1) * of_phase, k * of_phase):
                        if far.shape[0] == 0:
                            _decide(word, v, under, negative[w], -float(w + 1), -1.0)
                        else:
                            _decide_between(word, v, under, negative[w], far[w], -float(w + 1))
        if spiking:
            for f in range(features):
                sent[first + n, f] = np.int16(word[f])
        if keep_v:
            for f in range(features):
                v_end[first + n, f] = np.int32(v[f])


@njit()
def largest_potential(first_node, end_node, sums, first, bias, leak, factor, largest):  # type: ignore[no-untyped-def]
    """Largest |v| over the window of v(t) = leak_t · v(t-1) + factor · a_in, without rounding or saturation."""
    for n in range(first_node, end_node):
        for f in range(sums.shape[2]):
            v = float(bias[first + n, f])
            peak = abs(v)
            for t in range(1, sums.shape[1]):
                v = v * leak[t - 1] + sums[n, t, f] * factor
                peak = max(peak, abs(v))
            largest[first + n, f] = peak
