"""Code words and potentials of a run, written by the process models straight into memory-mapped files.

Lava's own ways out of a process (Var.get, Monitor) send numbers one by one and cost more than the run itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib.format import open_memmap
from numpy.typing import DTypeLike, NDArray

from loihi_onespike.core.codes import WORD_DTYPE
from loihi_onespike.core.maps import Shape
from loihi_onespike.core.trace import LayerTrace


@dataclass(frozen=True)
class Record:
    """Files of one population: <stem>.words.npy, .v.npy (images, *shape) and .peaks.npy (|v|, |a_in|).

    Attributes:
        folder, stem: where; the stem is a number, because population names may hold any character.
        images: windows that are kept, the first ones.
        shape: shape of the population.
        spiking: False for a readout, which sends no spikes.
        v_dtype: integers for fixed point, float64 for floating point.
    """

    folder: Path
    stem: str
    images: int
    shape: Shape
    spiking: bool
    v_dtype: DTypeLike

    def _path(self, quantity: str) -> Path:
        return self.folder / f"{self.stem}.{quantity}.npy"

    def _arrays(self) -> dict[str, tuple[Shape, DTypeLike]]:
        shape = (self.images, *self.shape)
        words: dict[str, tuple[Shape, DTypeLike]] = {"words": (shape, WORD_DTYPE)} if self.spiking else {}
        return {**words, "v": (shape, self.v_dtype), "peaks": ((2,), np.float64)}

    def create(self) -> None:
        """Make the files, before any process is started."""
        for quantity, (shape, dtype) in self._arrays().items():
            open_memmap(self._path(quantity), mode="w+", dtype=dtype, shape=shape)

    def open(self) -> dict[str, NDArray[Any]]:
        """The arrays by quantity, for writing."""
        return {quantity: np.load(self._path(quantity), mmap_mode="r+") for quantity in self._arrays()}

    def read(self) -> LayerTrace:
        """What has been written, as arrays in memory."""
        arrays = {quantity: np.load(self._path(quantity)) for quantity in self._arrays()}
        peak, input_peak = (int(p) for p in arrays["peaks"])
        return LayerTrace(arrays.get("words"), arrays["v"], peak, input_peak)


class SpikeRecorder:
    """Writes the windows of one population. Idle when there is no record."""

    def __init__(self, record: Record | None) -> None:
        self.record = record
        self.peak = self.input_peak = 0.0
        self._arrays: dict[str, NDArray[Any]] | None = None

    def watches(self, image: int) -> bool:
        """Whether an image is recorded."""
        return self.record is not None and image < self.record.images

    def see(self, v: NDArray[Any], a_in: NDArray[Any]) -> None:
        """Update the largest |v| and |a_in|."""
        self.peak = max(self.peak, v.max(), -v.min())
        self.input_peak = max(self.input_peak, a_in.max(), -a_in.min())

    def write(self, image: int, v: NDArray[Any], words: NDArray[Any] | None) -> None:
        """Keep the potentials and code words at the end of a window.

        Args:
            image: number of the image.
            v: potentials.
            words: code words of the spikes; None for a readout.
        """
        if self._arrays is None:
            assert self.record is not None
            self._arrays = self.record.open()
        self._arrays["v"][image] = v
        if words is not None:
            self._arrays["words"][image] = words
        self._arrays["peaks"][:] = self.peak, self.input_peak
