"""What the conversion does beyond the paper, each part on its own switch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Literal

from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Method:
    """Parts of the calibration. All off (`Method.paper()`) is the method of arXiv 2403.08786.

    Attributes:
        levels: a codebook fitted to the activations in place of the powers of one base (Eq. 5). A base that is given
            as a number stays a base.
        scales: λ of every channel with the least mean square error, in place of the largest activation (Eq. 2).
        two_sided: no spike stands for a value in the middle, and one spike of either sign for those above and below:
            twice as many levels for up to twice as many spikes.
        bias: correct the mean of every channel, layer after layer, on the inputs that the SNN really gives it.
        rounding: round the weights while calibrating, so that the corrections undo what they can of it.
        compensation: round every weight so that it makes up for the errors of the others under the inputs that come
            (with `rounding` only).
        weights: fit the weights to the ANN's pre-activations in closed form, where that does better on other samples.
        waits: thresholds per phase fitted to the noise spikes that a wait shorter than the input lets in.
    """

    levels: bool = True
    scales: bool = True
    two_sided: bool = True
    bias: bool = True
    rounding: bool = True
    compensation: bool = True
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
        """A method from the state of its parts, those not named on; raises ConfigurationError for unknown parts."""
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
        """Some part needs the layers to be calibrated one after the other."""
        return any(vars(self).values())
