"""The picture of an estimate."""

from dataclasses import replace

import pytest
from matplotlib.figure import Figure

from loihi_onespike.analysis.plots.profile import MAX_LAYERS, draw_profile, profile_size
from tests.boards.energy.test_estimate import estimated


def axes_of(estimate):
    axes = Figure(figsize=profile_size(estimate)).subplots(1, 3)
    draw_profile(axes, estimate)
    return axes


def test_bars_are_the_figures():
    work, time, energy = axes_of(estimated("kapoho_bay"))
    assert [t.get_text() for t in work.get_yticklabels()] == ["hidden", "out"]
    assert [bar.get_width() for bar in work.patches] == [9.0, 2.0, 12.0, 4.0]
    # 3 neurons at 8.4 ns; one neuron at 8.4 ns
    assert [bar.get_width() for bar in time.patches] == pytest.approx([0.0252, 0.0084])
    assert sum(bar.get_width() for bar in energy.patches) == pytest.approx(0.2596 + 1.238)
    assert "Loihi 1's table" not in energy.get_title()


def test_borrowed_and_unknown_energies_are_called_so():
    estimate = estimated("oheo_gulch")
    assert "Loihi 1's table" in axes_of(estimate)[2].get_title()
    unknown = axes_of(replace(estimate, accounts=estimate.accounts[:1]))[2]
    assert [t.get_text() for t in unknown.texts] == ["unknown"] and not unknown.patches


def test_many_layers_are_added_up():
    estimate = estimated("kapoho_bay")
    many = replace(estimate, layers=estimate.layers[:1] * (MAX_LAYERS + 5))
    work, time, _ = axes_of(many)
    labels = [t.get_text() for t in work.get_yticklabels()]
    assert len(labels) == MAX_LAYERS + 1 and labels[-1] == "5 more"
    assert work.patches[MAX_LAYERS].get_width() == 5 * 9.0
    assert time.patches[MAX_LAYERS].get_width() == pytest.approx(0.0252)
