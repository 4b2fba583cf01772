"""The inputs of a model with several of them, by the names of its arguments, sample by sample."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.errors import ConfigurationError, OneSpikeError

ONLY = "x"
"""Name of the array that a model with one input takes."""


@dataclass(frozen=True, eq=False)
class NamedInputs:
    """Arrays (N, …) of N samples each, which are sliced together.

    Attributes:
        arrays: the arrays by the names of the arguments; others may be among them.
    """

    arrays: Mapping[str, NDArray[Any]]

    def __len__(self) -> int:
        return len(next(iter(self.arrays.values())))

    def __getitem__(self, key: slice | NDArray[np.integer]) -> NamedInputs:
        """The samples of a slice or of an array of positions."""
        return NamedInputs({name: array[key] for name, array in self.arrays.items()})

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """The array x, as a model of one input takes it."""
        only = self.of_model("inputs", (), ConfigurationError)
        return np.asarray(only, dtype)

    def of_model(self, argument: str, names: Sequence[str], error: type[OneSpikeError]) -> Any:
        """What a model takes: its arrays by name, or for one input the array x.

        Args:
            argument: name of the argument, for the message.
            names: names of the inputs of the model, empty for one input.
            error: class of the error.

        Raises:
            OneSpikeError: `error`, where an array is missing.
        """
        wanted = list(names) or [ONLY]
        missing = [name for name in wanted if name not in self.arrays]
        if missing:
            model = f"of {len(names)} inputs" if names else "of one input"
            raise error(
                f"{argument}: a model {model} takes the arrays {', '.join(wanted)}, got {', '.join(self.arrays)}; name "
                "the arrays of the file like the arguments of the model, or x for one input"
            )
        return {name: self.arrays[name] for name in names} if names else self.arrays[ONLY]
