"""Generator of random small integer networks for all tests of equality.

    @given(cases())
    def test_equal(case):
        network, codes = case
        assert first_difference(reference.run(network, codes), fast.run(network, codes)) is None

    network = random_network(7, timesteps=(4, 4), ops=("conv",))     # plain and seeded, no hypothesis

Every network passes `core.graphs.verify_network`. Keywords are the fields of `NetworkOptions`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from hypothesis import strategies as st
from numpy.typing import NDArray

from loihi_onespike.core.graphs.network import Network
from tests.support.choices import Drawn, Seeded
from tests.support.random_networks import NetworkOptions, grow_network, with_options
from tests.support.random_networks import random_codes as _random_codes

__all__ = ["Case", "NetworkOptions", "cases", "networks", "random_case", "random_codes", "random_network"]


class Case(NamedTuple):
    """A network and input codes (N, *input shape) for it."""

    network: Network
    codes: NDArray[np.integer]


def random_network(seed: int, options: NetworkOptions | None = None, **changes: object) -> Network:
    """The network of a seed; `changes` are fields of NetworkOptions."""
    return grow_network(Seeded(seed), with_options(options, **changes))


def random_codes(network: Network, seed: int, images: int = 3) -> NDArray[np.integer]:
    """Input codes (images, *input shape) of a seed."""
    return _random_codes(Seeded(seed), network.input, images)


def random_case(seed: int, options: NetworkOptions | None = None, *, images: int = 3, **changes: object) -> Case:
    """A network and codes of a seed."""
    network = random_network(seed, options, **changes)
    return Case(network, random_codes(network, seed, images))


@st.composite
def networks(draw: st.DrawFn, /, options: NetworkOptions | None = None, **changes: object) -> Network:
    """Strategy of networks."""
    return grow_network(Drawn(draw), with_options(options, **changes))


@st.composite
def cases(draw: st.DrawFn, /, options: NetworkOptions | None = None, *, max_images: int = 3, **changes: object) -> Case:
    """Strategy of networks with 1..max_images input codes."""
    network = grow_network(Drawn(draw), with_options(options, **changes))
    images = draw(st.integers(1, max_images))
    return Case(network, _random_codes(Drawn(draw), network.input, images))
