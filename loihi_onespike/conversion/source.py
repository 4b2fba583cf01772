"""The steps of a conversion in which batches of samples and one graph differ, as one interface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.codes_of_options import InputCode
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.ann import AnnGraph
from loihi_onespike.core.graphs.stage import StageGraph

Batch: TypeAlias = NDArray[np.floating] | SparseSample
"""Inputs (n, *shape) of the network, or the one sparse sample of a graph."""


class ConversionSource(Protocol):
    """A model that has been traced on the data that calibrates it.

    Implemented by `BatchSource` (samples that are independent of each other) and `GraphSource` (one graph, whose
    nodes are the samples).
    """

    @property
    def graph(self) -> AnnGraph:
        """The traced model, rewritten so that every population will carry values that are not negative."""

    @property
    def batches(self) -> Sequence[Batch]:
        """Calibration data as the input of the network takes it."""

    @property
    def is_graph(self) -> bool:
        """The populations stand for the nodes of one graph."""

    @property
    def facts(self) -> Mapping[str, object]:
        """Entries of the record in the network file that only this kind of source has."""

    def refuse_unsupported(self, stages: StageGraph) -> None:
        """Raise UnsupportedModelError where this input cannot be sent as the lowered stages read it."""

    def sample_and_output(self) -> tuple[Batch, NDArray[np.float64]]:
        """A few inputs of the network, and what the model computes from them, with the axis of samples."""

    def plan_input(self, stages: StageGraph, code: InputCode) -> StageGraph:
        """Attach code, range and offset of the input to the stages.

        Args:
            stages: lowered stages.
            code: that the options ask for.
        """

    def headroom_sample(self, stages: StageGraph) -> Batch:
        """Inputs that are sent through the integer network to measure its head-room."""
