"""Loss of accuracy of a calibrated network, measured without labels.

Where the SNN decides for class s and the ANN for class a, the expected loss of accuracy is the difference of their
probabilities, p_a - p_s by the softmax of the ANN, if these probabilities are right. Few decisions differ, so errors
e_j of many samples are added to the outputs y_i of the ANN on every sample. Errors are larger where the ANN is less
sure, and between the classes that it hesitates between. So classes are ordered by their scores, in both places, and
the errors that are added to y_i are those of the samples whose margin (largest score less the second largest) is
nearest to its own:

    loss = mean_ij  p_i,1 - p_i,s(i,j),   s(i, j) = argmax (y_i + e_j)

Errors of samples that the SNN was fitted to are too small. They show of which kind errors are at a margin, and the
samples that were held out how large they are: the former are multiplied by

    ratio = √( Σ_held |e|² / Σ_held |e|²_fitted ),   |e|²_fitted the mean over the nearest fitted samples in margin

How much the loss depends on the samples is told by a jackknife over groups of them (Efron and Tibshirani, An
Introduction to the Bootstrap, chapter 11). Each group in turn is left out of the outputs, of the errors and of the
ratio together. `loss_curve` makes an upper limit of the losses of one or several networks.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.encoding import finish_output, softmax_axis
from loihi_onespike.core.graphs.stage import OutputStage
from loihi_onespike.errors import ConfigurationError

Float = NDArray[np.float64]

NEAREST = 4
"""The errors of one in so many samples are added to the output of every sample: those that are nearest in margin."""
LEAST_NEAREST = 8
"""Fewest errors that are added to the output of a sample."""
PAIRS = 2**16
"""Pairs of outputs and errors beyond which fewer errors are added to each output."""
LIKE_HELD = 8
"""A sample held out is compared with one in so many of the others."""
GROUPS = 32
"""Most groups of samples of the jackknife."""
STEP = 0.1
"""Relative step of the ratio between whose ends the slope of the loss is measured."""
PLACES = 16
"""Places of an output with classes at every place that are looked at, per sample."""
NO_CLASSES = ("relu", "sigmoid", "tanh")
"""Last operations of networks whose outputs are not scores of which the largest decides."""


@dataclass(frozen=True, eq=False)
class OutputErrors:
    """Scores of the ANN, and errors of the SNN.

    Attributes:
        scores: (N, places, classes) scores of the ANN, the largest first.
        errors: (N, places, classes) scores of the SNN less those of the ANN, in the same order of classes.
        held: (N,) samples to which the SNN was not fitted; none of them to take all errors as they are.
    """

    scores: Float
    errors: Float
    held: NDArray[np.bool_]

    @classmethod
    def of(cls, stage: OutputStage, ann: torch.Tensor, snn: torch.Tensor, held: NDArray[np.bool_]) -> OutputErrors:
        """The errors of a calibrated network.

        Args:
            stage: the output stage.
            ann, snn: (N, *shape) outputs.
            held: (N,) samples to which the SNN was not fitted; none of them to take all errors as they are.
        """
        exact, found = (class_scores(stage, z.double().numpy()) for z in (ann, snn))
        order = np.argsort(-exact, axis=-1, kind="stable")
        exact, found = (np.take_along_axis(z, order, -1) for z in (exact, found))
        return cls(exact, found - exact, np.broadcast_to(held, len(exact)))  # a graph has a row per node

    def loss(self) -> MeasuredLoss:
        """Estimated loss of accuracy; see the module."""
        samples, held = len(self.scores), int(self.held.sum())
        groups = min(GROUPS, held or samples)
        ratio, ratio_without = self._ratio(groups)
        sums, counts = self._pair_losses(ratio, groups)
        mean = float(sums.sum() / counts.sum())
        low, high = (self._pair_losses(ratio * factor, groups)[0].sum() for factor in (1 - STEP, 1 + STEP))
        slope = (high - low) / counts.sum() / (2 * STEP)
        without = _without(sums) / np.maximum(_without(counts), 1) + slope * (ratio_without - ratio) / (ratio or 1.0)
        return MeasuredLoss(mean, without, self._worst(ratio) / samples, self.held if held else ~self.held)

    @property
    def _margins(self) -> Float:
        """(N, places) largest score of the ANN less the second largest."""
        return self.scores[..., 0] - self.scores[..., 1]

    def _groups(self, groups: int) -> NDArray[np.int64]:
        """(N,) number of the group of each sample; neighbours are in different ones, also of those held out."""
        return np.arange(len(self.scores)) % groups

    def _ratio(self, groups: int) -> tuple[float, Float]:
        """Size of the errors held out over that of the others, and the same without each group in turn, (groups,)."""
        held, fitted = self.held, ~self.held
        if not held.any():
            return 1.0, np.ones(groups)
        squares = np.square(self.errors - self.errors.mean(axis=-1, keepdims=True)).mean(axis=-1)
        of_row = np.repeat(self._groups(groups), squares.shape[1]).reshape(squares.shape)
        margins = self._margins
        rising = np.argsort(margins[fitted], axis=None, kind="stable")
        like, of_like = squares[fitted].ravel()[rising], of_row[fitted].ravel()[rising]
        count = max(like.size // LIKE_HELD, 1)
        first = _first_nearest(margins[fitted].ravel()[rising], margins[held].ravel(), count)
        of_held = of_row[held].ravel()
        sums, counts = np.zeros((groups, groups)), np.zeros((groups, groups))
        for neighbour in range(count):
            _add(sums, of_held, of_like[first + neighbour], like[first + neighbour])
            _add(counts, of_held, of_like[first + neighbour], None)
        found, number = np.bincount(of_held, squares[held].ravel(), groups), np.bincount(of_held, None, groups)
        if not _without(sums).min() > 0:  # some samples that it was fitted to have no errors
            return 1.0, np.ones(groups)
        without = (found.sum() - found) / (number.sum() - number) * _without(counts) / _without(sums)
        return sqrt(found.mean() / number.mean() * counts.sum() / sums.sum()), np.sqrt(without)

    def _enlarged(self, ratio: float) -> Float:
        """The errors, those of the samples that the SNN was fitted to multiplied by a ratio."""
        return self.errors * np.where(self.held, 1.0, ratio)[:, None, None]

    def _pair_losses(self, ratio: float, groups: int) -> tuple[Float, Float]:
        """Sums of the losses of pairs, and their numbers, by the groups of sample and error, (groups, groups).

        Args:
            ratio: factor on the errors of the samples that the SNN was fitted to.
            groups: number of groups.
        """
        shape, classes = self.scores.shape[:2], self.scores.shape[2]
        of_sample = np.repeat(self._groups(groups), shape[1])
        margins, scores = self._margins.ravel(), self.scores.reshape(-1, classes)
        rising = np.argsort(margins, kind="stable")
        errors, of_error = self._enlarged(ratio).reshape(-1, classes)[rising], of_sample[rising]
        most = max(min(len(scores) // NEAREST, PAIRS // len(scores)), LEAST_NEAREST)
        count = min(most, len(scores))
        first = _first_nearest(margins[rising], margins, count)
        raised = np.exp(scores - scores[:, :1])
        probability = raised / raised.sum(axis=1, keepdims=True)
        sums, counts, row = np.zeros((groups, groups)), np.zeros((groups, groups)), np.arange(len(scores))
        for neighbour in range(count):
            decided = (scores + errors[first + neighbour]).argmax(axis=1)
            others = of_error[first + neighbour]
            _add(sums, of_sample, others, probability[:, 0] - probability[row, decided])
            _add(counts, of_sample, others, None)
        return sums, counts

    def _worst(self, ratio: float) -> float:
        """Largest expected loss of a sample with such errors: of its margin m, tanh(m / 2) · share of errors above m.

        Args:
            ratio: factor on the errors of the samples that the SNN was fitted to.
        """
        errors = self._enlarged(ratio)
        apart = np.sort((errors - errors[..., :1]).max(axis=-1), axis=None)[::-1]
        return float(np.max(np.tanh(apart / 2) * np.arange(1, apart.size + 1) / apart.size))


def _first_nearest(rising: Float, margins: Float, count: int) -> NDArray[np.int64]:
    """First of the `count` neighbouring ones of some rising margins that are nearest to each of others, in rank."""
    return np.clip(np.searchsorted(rising, margins) - count // 2, 0, len(rising) - count)


def _add(table: Float, rows: NDArray[np.int64], columns: NDArray[np.int64], values: Float | None) -> None:
    """Add values, or ones, to the given entries of a table (groups, groups)."""
    table += np.bincount(rows * len(table) + columns, values, table.size).reshape(table.shape)


def _without(sums: Float) -> Float:
    """Sum of a table (groups, groups) without row and column of each group in turn, (groups,)."""
    return np.asarray(sums.sum() - sums.sum(axis=0) - sums.sum(axis=1) + np.diagonal(sums))


@dataclass(frozen=True, eq=False)
class MeasuredLoss:
    """Estimated loss of accuracy of one network, as a share of all samples.

    Attributes:
        mean: the estimate.
        without: (groups,) the estimate without each group of samples in turn.
        of_one_sample: loss if one sample in N lost what it can lose most with such errors.
        held: (N,) samples that were held out; all where none were.
    """

    mean: float
    without: Float
    of_one_sample: float
    held: NDArray[np.bool_]


def check_classes(outputs: Sequence[OutputStage]) -> None:
    """Raise ConfigurationError for a network whose output does not decide between classes, or that has several.

    Outputs of a regression cannot be told from scores of classes where there are several.
    """
    stage, *others = outputs
    if others:
        found = f"{len(outputs)} outputs"
    elif stage.finish in NO_CLASSES:
        found = f"outputs of {stage.finish}"
    elif (classes := class_scores(stage, np.zeros((1, *stage.shape))).shape[-1]) < 2:
        found = f"{classes} score"
    else:
        return
    raise ConfigurationError(
        f"max_loss: must be None for a network whose outputs are not scores of two or more classes, got {found}; leave "
        "it out and choose price by the error that `diagnose` measures"
    )


def class_scores(stage: OutputStage, z: Float) -> Float:
    """Scores (N, places, classes) of outputs (N, *shape) of the output stage.

    Classes are on the first axis of a sample, as the losses of torch have them, and on the last one where the last
    layer or the last operation works along it. Of many places some are taken, evenly spread.

    Args:
        stage: the output stage.
        z: its outputs.
    """
    axis = softmax_axis(stage.finish) or 1
    if stage.order is not None:
        z = finish_output(z, stage.order, "identity")
    elif axis == 1 and all(link.op.channel_axis == -1 for link in stage.links):
        axis = -1
    along_last = axis != 1
    z = np.moveaxis(z, axis, -1) if along_last else z
    scores = z.reshape(len(z), -1, z.shape[-1]) if along_last else z.reshape(*z.shape[:2], -1).swapaxes(1, 2)
    if len(scores) == 1:  # the places of a single sample are nodes of a graph, and count as samples
        return scores.swapaxes(0, 1)
    return scores[:, np.unique(np.linspace(0, scores.shape[1] - 1, PLACES).astype(np.int64))]
