"""The options that a search chooses, and the space that it chooses them from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import product
from typing import Any, Literal

from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.options import check_option
from loihi_onespike.errors import ConfigurationError

AUTO: Literal["auto"] = "auto"
"""Instead of a base: levels fitted to the activations, or the base of Eq. 5 with the method of the paper."""


@dataclass(frozen=True)
class ConversionSetting:
    """Options of one conversion.

    Attributes:
        timesteps: T.
        wait: steps before the first decision of a neuron, in [1, T]; T is the full wait.
        levels: "auto", or the base Q.
        two_sided: spikes of both signs around a middle value; doubles the number of levels, and up to doubles the
            number of spikes.
    """

    timesteps: int
    wait: int
    levels: Literal["auto"] | float
    two_sided: bool

    def keywords(self, method: Method) -> dict[str, Any]:
        """Keyword arguments of `convert`.

        Args:
            method: calibration; `two_sided` is replaced by that of the setting.
        """
        return {
            "timesteps": self.timesteps,
            "wait": None if self.wait == self.timesteps else self.wait,
            "base": self.levels,
            "method": replace(method, two_sided=self.two_sided),
        }

    def to_dict(self) -> dict[str, Any]:
        """JSON-like values by attribute."""
        return asdict(self)

    @classmethod
    def from_dict(cls, stored: Mapping[str, Any]) -> ConversionSetting:
        """Inverse of `to_dict`; raises ValueError or TypeError where an option is missing or of another type."""
        made = cls(**stored)
        levels = made.levels == AUTO or type(made.levels) in (int, float)
        if not (type(made.timesteps) is type(made.wait) is int and levels and isinstance(made.two_sided, bool)):
            raise ValueError(f"setting: must be one that `onespike tune` tries, got {str(dict(stored))[:200]!r}")
        return made

    def __str__(self) -> str:
        return f"T={self.timesteps} wait={self.wait} Q={self.levels} {'two' if self.two_sided else 'one'}-sided"


@dataclass(frozen=True)
class Space:
    """Search space: all combinations of timesteps, wait (as a share of T), levels and two_sided.

    Attributes:
        timesteps: values of T, increasing.
        wait_eighths: waits in eighths of T, rounded up; 8 is the full wait. A share keeps its meaning when T changes.
        levels: "auto" and bases Q.
        two_sided: values that are tried.

    Raises:
        ConfigurationError: an attribute is empty, repeats a value, or is out of range.
    """

    timesteps: tuple[int, ...] = (4, 6, 8, 10, 12, 14, 16, 20, 24, 32)
    wait_eighths: tuple[int, ...] = (2, 3, 4, 5, 6, 7, 8)
    levels: tuple[Literal["auto"] | float, ...] = (AUTO, 1.15, 1.2, 1.25, 1.3, 1.4, 1.5, 1.7, 2.0)
    two_sided: tuple[bool, ...] = (True, False)

    def __post_init__(self) -> None:
        for name, values in vars(self).items():
            if not values or len(set(values)) != len(values):
                raise ConfigurationError(f"{name}: must hold one or more different values, got {values!r}")
        for timesteps in self.timesteps:
            check_option("timesteps", timesteps)
        if min(self.wait_eighths) < 1 or max(self.wait_eighths) > 8:
            raise ConfigurationError(f"wait_eighths: must be integers in [1, 8], got {self.wait_eighths}")

    def setting(self, parameters: Mapping[str, int]) -> ConversionSetting:
        """Setting from the parameters that a study stores: the position in each of the attributes."""
        timesteps = self.timesteps[parameters["timesteps"]]
        wait = -(-timesteps * self.wait_eighths[parameters["wait_eighths"]] // 8)
        return ConversionSetting(
            timesteps, wait, self.levels[parameters["levels"]], bool(self.two_sided[parameters["two_sided"]])
        )

    def grid(self) -> Iterator[dict[str, int]]:
        """Small grid that a search starts with: three T (long ones first), two waits, all sides, the first levels."""
        for timesteps in _spread(len(self.timesteps), 3)[::-1]:
            for wait in _spread(len(self.wait_eighths), 2)[::-1]:
                for side in range(len(self.two_sided)):
                    yield {"timesteps": timesteps, "wait_eighths": wait, "levels": 0, "two_sided": side}

    def everything(self) -> Iterator[dict[str, int]]:
        """All combinations."""
        names = tuple(vars(self))
        for places in product(*(range(len(values)) for values in vars(self).values())):
            yield dict(zip(names, places, strict=True))


def _spread(count: int, wanted: int) -> list[int]:
    """`wanted` evenly spaced positions in 0..count-1, including the last."""
    return sorted({round((count - 1) * (i + 1) / wanted) for i in range(wanted)})
