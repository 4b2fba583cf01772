"""Diagnosis: the accuracy that a converted network loses, by population and cause, measured by switching errors off."""

from loihi_onespike.analysis.diagnosis.causes import Cause
from loihi_onespike.analysis.diagnosis.measuring.output_error import OutputError
from loihi_onespike.analysis.diagnosis.measuring.statistics import LayerStatistics
from loihi_onespike.analysis.diagnosis.report.diagnosis_report import Diagnosis, LayerDiagnosis, Loss
from loihi_onespike.analysis.diagnosis.run_diagnosis import diagnose

__all__ = ["Cause", "Diagnosis", "LayerDiagnosis", "LayerStatistics", "Loss", "OutputError", "diagnose"]
