"""Where a converted network loses, by population and cause, each measured by switching one error off."""

from loihi_onespike.diagnosis.causes import Cause
from loihi_onespike.diagnosis.output_error import OutputError
from loihi_onespike.diagnosis.report import Diagnosis, LayerDiagnosis, Loss
from loihi_onespike.diagnosis.run import diagnose
from loihi_onespike.diagnosis.statistics import LayerStatistics

__all__ = ["Cause", "Diagnosis", "LayerDiagnosis", "LayerStatistics", "Loss", "OutputError", "diagnose"]
