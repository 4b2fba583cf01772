"""Images cut into parts: what one process counts at a time, and what an interrupt loses at most."""

from __future__ import annotations

from dataclasses import dataclass

from loihi_onespike.errors import ConfigurationError


@dataclass(frozen=True)
class Part:
    """Images first ≤ i < end, the part of that number.

    The cut depends on the number of images and their number per part alone, never on who takes part: the ANN, which
    computes in floating point, sees the same batches in every run.
    """

    number: int
    first: int
    end: int

    def __len__(self) -> int:
        return self.end - self.first


def parts_of(images: int, per_part: int) -> list[Part]:
    """All parts of so many images; the last one may be smaller."""
    if per_part < 1:
        raise ConfigurationError(f"batch: must be at least 1 image, got {per_part}")
    return [Part(n, first, min(first + per_part, images)) for n, first in enumerate(range(0, images, per_part))]


@dataclass(frozen=True)
class Shard:
    """Every `of`-th part, from number `index` (0 to of - 1): the share of one job of an array."""

    index: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.index < self.of:
            raise ConfigurationError(
                f"shard: must be a number in [1, {self.of}], the number of shards, got {self.index + 1}"
            )

    def __contains__(self, part: Part) -> bool:
        return part.number % self.of == self.index

    def __str__(self) -> str:
        return f"{self.index + 1}/{self.of}"

    @classmethod
    def of_text(cls, text: str) -> Shard:
        """From "3/8", the third of eight."""
        index, slash, of = text.partition("/")
        if not (slash and index.isdecimal() and of.isdecimal()):
            raise ConfigurationError(f"shard: must be K/N, the K-th of N, as in 3/8; got {text!r}")
        return cls(int(index) - 1, int(of))
