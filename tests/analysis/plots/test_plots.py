"""What the pictures show, read back from the axes."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from loihi_onespike import convert
from loihi_onespike.analysis.plots import draw_phases, draw_raster, draw_readout, layer_colors, readout_course, style
from loihi_onespike.analysis.plots.raster import spike_steps
from loihi_onespike.core.codes import PayloadCode
from loihi_onespike.data import load_data
from loihi_onespike.models.digits_cnn import load_digits_cnn


@pytest.fixture(scope="module")
def run():
    data = load_data("digits", calibration_images=64)
    net = convert(load_digits_cnn(), data.calibration, input_bits=5, wait=9, method="paper")
    return net.network, net.trace(data.images[:3], "reference")


def test_spike_steps_of_the_input_are_the_bits_of_its_code(run):
    network, trace = run
    codes = trace.layers["input"].words[0].ravel()
    steps, neurons = spike_steps(network, "input", trace.layers["input"], 0)
    for step, neuron in zip(steps, neurons, strict=True):
        assert codes[neuron] >> (5 - step) & 1  # most significant bit at step 1
    assert len(steps) == sum(int(c).bit_count() for c in codes)


def test_spike_steps_follow_start_and_wait(run):
    network, trace = run
    layer = trace.layers["relu2"]
    steps, neurons = spike_steps(network, "relu2", layer, 1)
    phases = layer.words[1].ravel()
    assert np.array_equal(neurons, np.flatnonzero(phases))
    # input 0, relu1 one hop later at 1; relu2 after relu1's wait of 5 and one hop at 7; its own wait is 9
    assert np.array_equal(steps, 7 + 9 + phases[neurons])


def test_raster_has_a_dot_per_spike(run):
    network, trace = run
    axes = Figure().add_subplot()
    draw_raster(axes, network, trace, 0, layer_colors(network.by_name))
    dots = sum(len(np.asarray(c.get_offsets())) for c in axes.collections)
    hidden = sum(int((trace.layers[p.name].words[0] != 0).sum()) for p in network.hidden)
    assert dots == hidden + sum(int(c).bit_count() for c in trace.layers["input"].words[0].ravel())
    assert [t.get_text().split("\n")[0] for t in axes.get_yticklabels()] == ["input", *[p.name for p in network.hidden]]


def test_phase_shares_add_up(run):
    network, trace = run
    population = network.hidden[0]
    phases = trace.layers[population.name].words
    axes = Figure().add_subplot()
    largest = draw_phases(axes, population, phases, "black")
    heights = [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]
    assert len(heights) == 16 and largest == max(heights)
    assert sum(heights) == pytest.approx(100 * np.mean(phases != 0))
    assert f"{100 * np.mean(phases == 0):.0f} % send no spike" in [t.get_text() for t in axes.texts]


def test_words_with_payload_are_drawn_at_their_phases(run):
    network, _ = run
    code = PayloadCode((4096, 8192), (3, 2, 3, 2))
    axes = Figure().add_subplot()
    words = np.array([[0, 1, 2, -2, 3], [4, 4, 0, 0, 0]])  # 4 silent, 3 at phase 1, 3 at phase 2
    largest = draw_phases(axes, replace(network.hidden[0], code=code), words, "black")
    heights = [bar.get_height() for bar in axes.patches if isinstance(bar, Rectangle)]
    assert heights == [30.0, 30.0] and largest == 30.0


def test_readout_ends_where_the_run_ended(run):
    network, trace = run
    for image in range(3):
        course = readout_course(network, trace, image)
        assert course.shape == (17, 10)
        np.testing.assert_allclose(course[-1], trace.output[image], rtol=1e-12)


def test_readout_marks_the_chosen_class(run):
    network, trace = run
    axes = Figure().add_subplot()
    draw_readout(axes, network, trace, 0, "0123456789")
    assert len(axes.lines) == 10 and f"class {trace.output[0].argmax()}" in [t.get_text() for t in axes.texts]


def test_style_ends_with_the_drawing():
    import matplotlib as mpl

    before = mpl.rcParams["font.size"]
    with style():
        assert mpl.rcParams["axes.spines.top"] is False
    assert mpl.rcParams["font.size"] == before


def test_colors_differ_between_neighbours():
    colors = list(layer_colors([f"l{i}" for i in range(20)]).values())
    assert all(a != b for a, b in pairwise(colors))
