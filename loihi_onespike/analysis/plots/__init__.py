"""Pictures of runs: spike raster, phases per layer, readout. Each function draws into matplotlib axes it is given."""

from loihi_onespike.analysis.plots.phases import draw_phases
from loihi_onespike.analysis.plots.raster import draw_raster
from loihi_onespike.analysis.plots.readout import draw_readout, readout_course
from loihi_onespike.analysis.plots.style import layer_colors, style

__all__ = ["draw_phases", "draw_raster", "draw_readout", "layer_colors", "readout_course", "style"]
