"""The geometry of sliding windows, by hand and against torch."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from loihi_onespike.core.maps import Window
from loihi_onespike.errors import GraphError


def test_output_is_that_of_torch() -> None:
    window = Window((3, 2), (2, 1), ((1, 1), (0, 0)), (2, 3))
    kernel = torch.ones(1, 1, 3, 2)
    out = F.conv2d(torch.zeros(1, 1, 9, 8), kernel, stride=(2, 1), padding=(1, 0), dilation=(2, 3))
    assert window.output((9, 8)) == tuple(out.shape[2:])
    assert window.count == 6


def test_readers_are_the_taps_that_reach_a_place() -> None:
    window = Window((3,), (2,), ((1, 0),), (1,))
    # outputs at 0 and 1 of 4 places read -1..1 and 1..3
    assert window.output((4,)) == (2,)
    assert window.readers((4,)).tolist() == [1, 2, 1, 1]
    counted = np.zeros(4, np.int64)
    for _, _, places in window.taps((4,)):
        np.add.at(counted, places, 1)
    assert counted.tolist() == [1, 2, 1, 1]


def _joins(window: Window, spatial: tuple[int, ...], first: tuple[int, ...]) -> list[tuple[object, ...]]:
    """(tap, output, input) of every pair of places that the window joins; taps counted from `first`."""
    return [
        (tuple(t + f for t, f in zip(tap, first, strict=True)), out, place)
        for tap, outs, places in window.taps(spatial)
        for out, place in zip(outs.tolist(), places.tolist(), strict=True)
    ]


@pytest.mark.parametrize("seed", range(60))
def test_a_cropped_window_joins_the_same_places(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kernel, stride, dilation = (tuple(int(n) for n in rng.integers(1, top, 2)) for top in (6, 4, 3))
    padding = tuple((int(a), int(b)) for a, b in rng.integers(0, 4, (2, 2)))
    least = [d * (k - 1) + 1 - sum(p) for k, d, p in zip(kernel, dilation, padding, strict=True)]
    spatial = tuple(int(max(n, 1) + rng.integers(0, 3)) for n in least)
    window = Window(kernel, stride, padding, dilation)
    cropped, taps = window.cropped(spatial)
    assert cropped.output(spatial) == window.output(spatial)
    assert _joins(cropped, spatial, tuple(t.start for t in taps)) == _joins(window, spatial, (0, 0))
    assert cropped.kernel == tuple(t.stop - t.start for t in taps)


def test_taps_that_see_padding_alone_are_cropped() -> None:
    one = Window((3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1))
    assert one.cropped((1, 1))[0] == Window.plain((1, 1)) and one.cropped((2, 2))[0] is one
    # stride 2 over 2 places: the window stands at -1, 0, 1 and its first tap sees padding
    half, taps = Window((3,), (2,), ((1, 1),), (1,)).cropped((2,))
    assert half == Window((2,), (2,), ((0, 0),), (1,)) and taps == (slice(1, 3),)
    # all taps are used, and the padding behind the last window is left over
    assert Window((2,), (2,), ((0, 1),), (1,)).cropped((2,))[0] == Window((2,), (2,), ((0, 0),), (1,))


def test_plain_window() -> None:
    window = Window.plain((2, 2))
    assert (window.stride, window.padding, window.dilation) == ((1, 1), ((0, 0), (0, 0)), (1, 1))


@pytest.mark.parametrize(
    ("window", "message"),
    [
        (lambda: Window((3, 3), (1,), ((0, 0),), (1,)), "must have the same rank"),
        (lambda: Window((0,), (1,), ((0, 0),), (1,)), "must be ≥ 1 and padding ≥ 0, got"),
        (lambda: Window((1,), (1,), ((0, -1),), (1,)), "must be ≥ 1 and padding ≥ 0, got"),
        (lambda: Window.plain((3,)).output((4, 4)), r"window of rank 1 over spatial shape \(4, 4\)"),
        (lambda: Window.plain((3,)).output((2,)), r"window \(3,\) with dilation \(1,\) does not fit into \(2,\)"),
    ],
)
def test_geometry_that_cannot_be_is_refused(window: object, message: str) -> None:
    assert callable(window)
    with pytest.raises(GraphError, match=message):
        window()
