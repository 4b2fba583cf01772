"""The parts of the calibration that go beyond the paper, each with a switch of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Method:
    """Parts of the calibration. With all off (`Method.paper()`) it is the method of arXiv 2403.08786.

    Attributes:
        levels: fit levels to the activations instead of the powers of one base (Eq. 5). A base that is given as a
            number stays a base.
        scales: take the λ of every channel with the least mean square error instead of the largest activation (Eq. 2).
        two_sided: no spike is a value in the middle of the range, and a spike of either sign a larger or smaller value.
            This gives up to twice as many levels, with up to twice as many spikes.
        bias: correct the mean of every channel, layer after layer, on the coded values that the layer receives.
        rounding: round the weights during the calibration, so that scales and biases correct part of the error.
        compensation: round every weight so that it compensates the errors of the weights rounded before it; takes
            effect with `rounding` only.
        pruning: remove the synapses whose additions cost more than they are worth at the output, while the weights that
            are left compensate for them; takes effect with `compensation`, and where spikes have a price in α (not with
            objective="accuracy" or the account of a board).
        weights: fit the weights to the ANN's pre-activations by regression, if the error falls on samples that were not
            used for the fit.
        waits: with a wait shorter than the input, choose levels and the thresholds of early phases for the least error.
    """

    levels: bool = True
    scales: bool = True
    two_sided: bool = True
    bias: bool = True
    rounding: bool = True
    compensation: bool = True
    pruning: bool = True
    weights: bool = True
    waits: bool = True

    @classmethod
    def paper(cls) -> Method:
        """The paper's method: every part off."""
        return cls(**{f.name: False for f in fields(cls)})

    @classmethod
    def of(cls, given: Method | Literal["calibrated", "paper"]) -> Method:
        """The method of that name, or the given one; raises ConfigurationError for another name."""
        if isinstance(given, Method):
            return given
        if given not in ("calibrated", "paper"):
            raise ConfigurationError(f"method: must be 'calibrated', 'paper' or a Method, got {given!r}")
        return cls() if given == "calibrated" else cls.paper()

    @classmethod
    def from_mapping(cls, parts: Mapping[str, bool]) -> Method:
        """A method from the states of its parts; others are on. Raises ConfigurationError for unknown parts."""
        unknown = sorted(set(parts) - set(cls.names()))
        if unknown:
            raise ConfigurationError(f"method: must be of the parts {', '.join(cls.names())}, got {', '.join(unknown)}")
        return cls(**parts)

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """Names of all parts."""
        return tuple(f.name for f in fields(cls))

    @property
    def sequential(self) -> bool:
        """Whether some part is on, so that the layers are calibrated one after the other."""
        return any(vars(self).values())
