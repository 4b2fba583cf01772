"""What a converted network records of its conversion."""

from __future__ import annotations

import loihi_onespike as los


def notes(net: los.OneSpikeNetwork, about: str) -> list[str]:
    """The notes of the conversion that begin with a word."""
    rewrites = net.network.facts["rewrites"]
    assert isinstance(rewrites, list | tuple)
    return [text for text in rewrites if text.startswith(about)]
