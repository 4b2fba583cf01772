"""One code for all populations that one stage reads: its neurons have one leak, so the levels must be the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_fit import ActivationValues, fit_codebook
from loihi_onespike.core.codes import SingleSpikeCode
from loihi_onespike.core.graphs.stage import InputStage, Stage, StageGraph

CHANNELS = 64
"""Largest number of channels per population that the levels are fitted to."""


def groups(graph: StageGraph) -> list[list[Stage]]:
    """Hidden stages in groups that must share a code.

    Two stages must if one stage reads both, or if one of them is the max pooling of the other.
    """
    root = {stage.name: stage.name for stage in graph.hidden}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for stage in graph.stages:
        if isinstance(stage, InputStage):
            continue
        together = [link.pre for link in stage.links if link.pre in root]
        if stage.kind == "max_pool":
            together.append(stage.name)
        for name in together[1:]:
            root[find(name)] = find(together[0])
    members: dict[str, list[Stage]] = {}
    for stage in graph.hidden:
        members.setdefault(find(stage.name), []).append(stage)
    return list(members.values())


def codebooks(
    graph: StageGraph,
    values: Mapping[str, ActivationValues],
    timesteps: int,
    done: Callable[[], None] = lambda: None,
) -> dict[str, SingleSpikeCode]:
    """Code of every hidden stage, fitted to the activations of its group.

    Args:
        graph: stages that get codes.
        values: activations by stage; stages of max pooling are not among them.
        timesteps: number of levels T.
        done: called after every group.
    """
    codes: dict[str, SingleSpikeCode] = {}
    for group in groups(graph):
        code = fit_codebook([_thinned(values[s.name]) for s in group if s.name in values], timesteps)
        codes.update({stage.name: code for stage in group})
        done()
    return codes


def _thinned(values: ActivationValues) -> ActivationValues:
    """The values of at most CHANNELS channels, evenly spread."""
    count = len(values.largest)
    if count <= CHANNELS:
        return values
    chosen: NDArray[np.int64] = np.linspace(0, count - 1, CHANNELS).astype(np.int64)
    return values.of_channels(chosen)
