"""Sections on accuracy and on the errors of every population."""

from __future__ import annotations

from typing import Any

import numpy as np

from loihi_onespike.analysis.diagnosis import diagnose
from loihi_onespike.analysis.report.content.subject import ReportSubject, Section, missing
from loihi_onespike.evaluation import Evaluation
from loihi_onespike.frontend.ann_output import ann_output


def evaluate(subject: ReportSubject) -> Evaluation | None:
    """The evaluation on all images, by the function of `onespike evaluate`; None without labels."""
    if subject.y is None:
        return None
    return subject.net.evaluate(
        subject.x,
        subject.y,
        model=subject.model,
        mask=subject.mask,
        board=subject.board,
        progress=lambda done, of: subject.progress("evaluate", done, of),
    )


def accuracy_section(found: Evaluation | None) -> Section:
    """Accuracies with intervals; those of the ANN are None without it."""
    if found is None:
        return missing("Accuracy needs labels. Give data with labels (in Python: the argument `y`).")
    return found.to_dict()


def errors_section(subject: ReportSubject) -> Section:
    """Loss by population and cause with the costs of the populations, by the function of `onespike diagnose`."""
    if subject.is_graph:
        return missing("Errors are measured layer by layer for networks of independent samples, not for graphs.")
    if subject.model is None:
        return missing(
            "Errors are measured against the ANN. Name the converted model with --model (in Python: `model=`)."
        )
    x, y = subject.part(subject.diagnosed_images)
    found = diagnose(
        subject.net,
        np.asarray(x),
        y,
        subject.model,
        lambda done, of: subject.progress("diagnose", done, of),
        board=subject.board,
    )
    # Losses are shares of this number; of the relative error it is the square, which is additive over errors.
    return {**found.document(), "whole": found.error.measured(found.measure)}


def ann_classes(subject: ReportSubject, images: Any) -> list[int] | None:
    """Classes that the ANN chooses for images (N, …); None without an ANN or where its output is not (N, classes)."""
    if subject.model is None or images is None:
        return None
    output = ann_output(subject.model, images)
    return output.argmax(axis=1).tolist() if output.ndim == 2 else None
