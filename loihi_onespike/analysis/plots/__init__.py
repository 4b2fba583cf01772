"""Plots of runs, diagnoses, searches and mappings; every function draws into given matplotlib axes."""

from loihi_onespike.analysis.plots.phases import draw_phases
from loihi_onespike.analysis.plots.raster import draw_raster
from loihi_onespike.analysis.plots.readout import draw_readout, readout_course
from loihi_onespike.analysis.plots.style import layer_colors, style

__all__ = ["draw_phases", "draw_raster", "draw_readout", "layer_colors", "readout_course", "style"]
