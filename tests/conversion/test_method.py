"""Parts of the calibration, each on its own switch."""

from __future__ import annotations

import pytest

from loihi_onespike.conversion.method import Method
from loihi_onespike.errors import ConfigurationError


def test_names_of_methods_and_parts() -> None:
    assert Method.of("calibrated") == Method() and Method.of("paper") == Method.paper()
    assert Method.of(Method(bias=False)) == Method(bias=False)
    assert not Method.paper().sequential and Method(**{**vars(Method.paper()), "bias": True}).sequential
    with pytest.raises(ConfigurationError, match=r"^method: must be 'calibrated', 'paper' or a Method, got 'best'$"):
        Method.of("best")  # type: ignore[arg-type]
