"""Loss of accuracy of a calibrated network, measured without labels on samples that it was not fitted to.

Where the SNN decides for class s and the ANN for class a, the expected loss of accuracy is the difference of their
probabilities, p_a - p_s by the softmax of the ANN, if these probabilities are right. Few decisions differ, so the
errors e_j of samples that were held out are added to the outputs y_i of the ANN on all samples. Errors are larger where
the ANN is less sure, and between the classes that it hesitates between. So classes are ordered by their scores, in both
places, and the errors that are added to y_i are those of the samples whose margin (largest score less the second
largest) is nearest to its own:

    loss = mean_ij  p_i,1 - p_i,s(i,j),   s(i, j) = argmax (y_i + e_j)

The ANN has not been fitted to any of them by the calibration, so all its margins may be used; the errors may not, since
those of samples that the SNN was fitted to are too small. The upper limit allows for the number of samples in both
places: the deviation of the errors is that of 95 % confidence for as many normal numbers as errors are added to a
sample, and the mean is raised by 1.645 standard errors.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import sqrt

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.encoding import finish_output, softmax_axis
from loihi_onespike.core.graphs.stage import OutputStage
from loihi_onespike.errors import ConfigurationError

Float = NDArray[np.float64]

QUANTILE = 1.645
"""Standard errors of a one-sided limit of 95 % confidence."""
NEIGHBOURS = (8, 64)
"""Fewest and most errors that are added to the output of every sample, one in eight of those there are in between."""
PLACES = 16
"""Places of an output with classes at every place that are looked at, per sample."""
NO_CLASSES = ("relu", "sigmoid", "tanh")
"""Last operations of networks whose outputs are not scores of which the largest decides."""


@dataclass(frozen=True, eq=False)
class OutputErrors:
    """Scores of the ANN, and errors of the SNN on samples that it was not fitted to.

    Attributes:
        scores: (N, places, classes) scores of the ANN on all samples, the largest first.
        errors: (M, classes) scores of the SNN less those of the ANN, in the same order of classes, at the samples and
            places that were held out; by ascending margin.
        margins: (M,) largest score of the ANN less the second largest of these.
        samples: number of samples that were held out.
    """

    scores: Float
    errors: Float
    margins: Float
    samples: int

    @classmethod
    def of(cls, stage: OutputStage, ann: torch.Tensor, snn: torch.Tensor, held: int) -> OutputErrors:
        """The errors of a calibrated network.

        Args:
            stage: the output stage.
            ann, snn: (N, *shape) outputs.
            held: number of samples at the end to which the SNN was not fitted; 0 to take the errors of all.
        """
        exact, found = (class_scores(stage, z.double().numpy()) for z in (ann, snn))
        order = np.argsort(-exact, axis=-1, kind="stable")
        exact, found = (np.take_along_axis(z, order, -1) for z in (exact, found))
        errors, of_held = ((z[-held:] if held else z).reshape(-1, z.shape[-1]) for z in (found - exact, exact))
        margins = of_held[:, 0] - of_held[:, 1]
        rising = np.argsort(margins, kind="stable")
        return cls(exact, errors[rising], margins[rising], held or len(exact))

    def times(self, factor: float) -> OutputErrors:
        """The same with all errors multiplied by a factor."""
        return replace(self, errors=self.errors * factor)

    def loss(self) -> LossEstimate:
        """Estimated loss of accuracy; see the module."""
        count = min(int(np.clip(len(self.errors) // 8, *NEIGHBOURS)), len(self.errors))
        place = np.searchsorted(self.margins, self.scores[..., 0] - self.scores[..., 1])
        first = np.clip(place - count // 2, 0, len(self.errors) - count)
        raised = np.exp(self.scores - self.scores[..., :1])
        probability = raised / raised.sum(axis=-1, keepdims=True)

        def per_sample(factor: float) -> Float:
            lost = np.zeros(len(self.scores))
            for neighbour in range(count):
                decided = (self.scores + factor * self.errors[first + neighbour]).argmax(axis=-1)
                kept = np.take_along_axis(probability, decided[..., None], -1)[..., 0]
                lost += (probability[..., 0] - kept).mean(axis=1)
            return lost / count

        cautious = per_sample(1 + QUANTILE / sqrt(2 * count))
        upper = cautious.mean() + QUANTILE * cautious.std() / sqrt(len(cautious))
        return LossEstimate(100 * float(per_sample(1.0).mean()), 100 * float(upper), self.samples)


@dataclass(frozen=True)
class LossEstimate:
    """An estimated loss of accuracy in percentage points.

    Attributes:
        mean: the estimate.
        upper: its upper limit of 95 % confidence.
        samples: number of samples whose errors it is from.
    """

    mean: float
    upper: float
    samples: int

    def __str__(self) -> str:
        return f"{self.mean:.2f} pp, at most {self.upper:.2f} pp by {self.samples} samples"


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
