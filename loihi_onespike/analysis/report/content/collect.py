"""The whole content of a report as one document for JSON, without a word of how it is shown."""

from __future__ import annotations

from typing import Any

import loihi_onespike.json_text as json_text
from loihi_onespike.analysis.report.content.accuracy import accuracy_section, ann_classes, errors_section, evaluate
from loihi_onespike.analysis.report.content.board import board_sections
from loihi_onespike.analysis.report.content.conversion import conversion_section
from loihi_onespike.analysis.report.content.levels import levels_section
from loihi_onespike.analysis.report.content.measured_spikes import measure
from loihi_onespike.analysis.report.content.spikes import spikes_section
from loihi_onespike.analysis.report.content.subject import ReportSubject, missing
from loihi_onespike.analysis.report.content.timeline import timeline_section


def collect(subject: ReportSubject) -> dict[str, Any]:
    """Evaluate, diagnose, map and profile, and gather what the page shows.

    Every figure comes from the function that the command of the same name prints it with. Infinity and NaN become
    None, as in all JSON documents of the toolkit.

    Args:
        subject: network, images and what else was given.

    Returns:
        A section per key: conversion, accuracy, errors, spikes, levels, timeline, board, energy, tuning. One that is
        left out holds the one key `missing`.
    """
    evaluation = evaluate(subject)
    measured = measure(subject)
    board, energy = board_sections(measured, subject.board, subject.fill_chips)
    errors = errors_section(subject)
    answers = ann_classes(subject, measured.shown)
    front = subject.front
    tuning = (
        missing(
            "No search was given. Run `onespike tune MODEL --data DATA --study search.db`, then add --tune search.db."
        )
        if front is None
        else front.to_dict()
    )
    return json_text.plain(
        {
            "name": subject.net.network.name,
            "samples": subject.images,
            "conversion": conversion_section(subject),
            "accuracy": accuracy_section(evaluation),
            "errors": errors,
            "spikes": spikes_section(measured, answers, subject.classes),
            "levels": levels_section(measured),
            "timeline": timeline_section(measured),
            "board": board,
            "energy": energy,
            "tuning": tuning,
        }
    )
