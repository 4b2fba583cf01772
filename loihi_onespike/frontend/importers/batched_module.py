"""Models that were recorded on a batch of one size, run on batches of any size."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeGuard

import torch
from torch import nn

from loihi_onespike.errors import ModelLoadError
from loihi_onespike.frontend.tracing.trees import leaves, tree_map

MOST_BATCH_BYTES = 2**28
"""Values of a batch of the recorded size, at most; a batch of 256 pictures of ImageNet takes less."""


class BatchedModule(nn.Module):
    """A recorded model, which often contains views with a fixed batch size.

    Batches are divided into parts of this size; the last part is filled up with copies of its last sample.

    Attributes:
        program: the recorded model.
        batch: its batch size, None where it takes any.
        input_sizes: the further axes of its input, a number or a name each; None where they are not recorded.
        names: names of its inputs where it has several, in their order; empty for one.
    """

    def __init__(
        self,
        title: str,
        program: nn.Module,
        batch: int | None,
        input_sizes: tuple[int | str, ...] | None = None,
        names: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self.program, self.batch, self._title = program, batch, title
        self.names = tuple(names) if len(names) > 1 else ()
        self.input_sizes = None if self.names else input_sizes

    def _get_name(self) -> str:
        return self._title

    @property
    def traced(self) -> nn.Module:
        """The module that the front end traces, with batches of the recorded size."""
        return self.program

    def whole_batch(self, x: torch.Tensor) -> torch.Tensor:
        """The first samples of `x`, or copies of them, as many as the model was recorded with.

        Raises:
            ModelLoadError: so many take more than `MOST_BATCH_BYTES`.
        """
        if self.batch is None:
            return x
        size = self.batch * x[:1].nbytes
        if size > MOST_BATCH_BYTES:
            raise ModelLoadError(
                f"{self._title}: recorded with batches of {self.batch} samples, which take {size} bytes, limit "
                f"{MOST_BATCH_BYTES}; export the model again with a batch of one sample or of any size"
            )
        return torch.cat([x] * -(-self.batch // len(x)))[: self.batch]

    def forward(self, *given: torch.Tensor, **named: torch.Tensor) -> Any:
        inputs = given or [named[name] for name in self.names]
        count = len(inputs[0])
        if self.batch is None or count == self.batch:
            return self.program(*inputs)
        pieces = zip(*(x.split(self.batch) for x in inputs), strict=True)
        outputs = [self.program(*(self.whole_batch(_filled(x, self.batch)) for x in piece)) for piece in pieces]
        of_leaves = zip(*(leaves(output) for output in outputs), strict=True)
        joined = iter([torch.cat(list(parts))[:count] if _are_tensors(parts) else parts[0] for parts in of_leaves])
        return tree_map(lambda _: next(joined), outputs[0])


def _filled(piece: torch.Tensor, size: int) -> torch.Tensor:
    missing = size - len(piece)
    return torch.cat([piece, piece[-1:].expand(missing, *piece.shape[1:])]) if missing else piece


def _are_tensors(values: Sequence[Any]) -> TypeGuard[Sequence[torch.Tensor]]:
    return all(isinstance(value, torch.Tensor) for value in values)
