"""The code of a population in one pass over memory: numba kernels behind `coder.PopulationCoder`.

On one thread: thousands of short calls between torch's own threads wait for each other longer than they work.
"""

from __future__ import annotations

import numpy as np

from loihi_onespike.executors.compiled import njit

UNDERFLOW_OFF, CLIPPING_OFF, ROUNDING_OFF = 1, 2, 4
BEYOND = 1 + 2.0**-16
"""A value is above a level when it is by more than this factor; less is the rounding of float32, as where a rectified 0
is 0 - offset and the offset is a level, or where the limit of a clipped activation is one."""


@njit(error_model="numpy")
def _first_reached(y, lowest):  # type: ignore[no-untyped-def]
    """First k with y ≥ lowest[k - 1] for a table that never rises; 0 for none."""
    low, high = 0, lowest.shape[0]
    while low < high:
        middle = (low + high) // 2
        if y >= lowest[middle]:
            high = middle
        else:
            low = middle + 1
    return low + 1 if low < lowest.shape[0] else 0


@njit(error_model="numpy")
def find_words(z, factor, up, down, out):  # type: ignore[no-untyped-def]
    """Code words of pre-activations.

    Args:
        z: (images, places, channels).
        factor: (1 or places, channels).
        up, down: (L,) factors of the thresholds, never rising; `down` empty for unsigned codes.
        out: as z, int16.
    """
    for n in range(z.shape[0]):
        for p in range(z.shape[1]):
            q = p if factor.shape[0] > 1 else 0
            for c in range(z.shape[2]):
                y = z[n, p, c] / factor[q, c]
                word = _first_reached(y, up)
                if word == 0 and down.shape[0] > 0:
                    word = -_first_reached(-y, down)
                out[n, p, c] = word


@njit(error_model="numpy")
def find_words_of_dip(z, factor, up, down, far, out):  # type: ignore[no-untyped-def]
    """Code words of pre-activations of a population with a dip, as `find_words`.

    Args:
        z, factor, up, out: as of `find_words`.
        down, far: (L,) factors of the two thresholds of negative spikes.
    """
    for n in range(z.shape[0]):
        for p in range(z.shape[1]):
            q = p if factor.shape[0] > 1 else 0
            for c in range(z.shape[2]):
                y = z[n, p, c] / factor[q, c]
                word = _first_reached(y, up)
                if word == 0 and y < 0:
                    for w in range(down.shape[0]):
                        if down[w] <= -y <= far[w]:
                            word = -w - 1
                            break
                out[n, p, c] = word


@njit(error_model="numpy")
def find_values(exact, words, scale, levels, first, ratio, rounds_up, off, out):  # type: ignore[no-untyped-def]
    """Values sent for exact ones, some errors of the code switched off.

    Args:
        exact, words, out: (images, places, channels).
        scale: (1 or places, channels).
        levels: (L,).
        first: first word ever sent, positive and negative.
        ratio: ratio of the first two levels and of the last two.
        rounds_up: threshold relative to its level at these ratios.
        off: sum of the constants above.
    """
    below, above = np.log(ratio[1]), np.log(ratio[0])
    last = levels[levels.shape[0] - 1]
    for n in range(exact.shape[0]):
        for p in range(exact.shape[1]):
            q = p if scale.shape[0] > 1 else 0
            for c in range(exact.shape[2]):
                g, k = exact[n, p, c], words[n, p, c]
                size = abs(g) / scale[q, c]
                sign = 1.0 if g > 0 else -1.0
                value = 0.0
                if k == 0:
                    if off & UNDERFLOW_OFF and size > 0:
                        value = size
                        if not off & ROUNDING_OFF:
                            value = last * ratio[1] ** -max(np.ceil(np.log(last * rounds_up[1] / size) / below), 1.0)
                        value *= sign
                else:
                    level = levels[abs(k) - 1]
                    value = level if k > 0 else -level
                    if size > level * BEYOND and k == (first[0] if k > 0 else -first[1]):
                        if off & CLIPPING_OFF:
                            value = size
                            if not off & ROUNDING_OFF:
                                steps = np.floor(np.log(size / (level * rounds_up[0])) / above)
                                value = level * ratio[0] ** max(steps, 0.0)
                            value *= sign
                    elif off & ROUNDING_OFF:
                        value = size * sign
                out[n, p, c] = value * scale[q, c]
