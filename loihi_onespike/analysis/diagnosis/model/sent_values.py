"""Decision of a population in one window, and the values that it sends with the steps at which they arrive."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True, eq=False)
class SentValues:
    """Values that a population sends, relative to the value of no spike.

    With an error of the code switched off, a value may not be one of the levels; it then arrives with the spike of its
    phase. A value below the last threshold arrives at the last step.

    Attributes:
        values: values (B, *shape).
        phases: phases (B, *shape) without sign, 0 for no spike; None where no reader needs the steps.
        steps: length of the window.
        codes: codes (B, *shape) of an input in digits, instead of phases.
        step: value of code 1, broadcastable; given with `codes`.
        digit: bits of a digit of the codes.
    """

    values: torch.Tensor
    phases: torch.Tensor | None
    steps: int
    codes: torch.Tensor | None = None
    step: torch.Tensor | None = None
    digit: int = 1

    def between(self, first: int, last: int) -> torch.Tensor:
        """Sum of the values that arrive at the steps first to last, both included, counted from 1."""
        if first <= 1 and last >= self.steps:
            return self.values
        if self.codes is not None:
            return self._digits(first, last)
        assert self.phases is not None
        arrives = self.phases.masked_fill(self.phases == 0, self.steps)
        return self.values * ((arrives >= first) & (arrives <= last))

    def first(self, images: int) -> SentValues:
        """The same for the first images of the batch."""
        phases, codes = (None if a is None else a[:images] for a in (self.phases, self.codes))
        return replace(self, values=self.values[:images], phases=phases, codes=codes)

    def _digits(self, first: int, last: int) -> torch.Tensor:
        """Part of the values in the digits of these steps, from the most significant; the last has the remainder."""
        assert self.codes is not None and self.step is not None
        end = min(last, self.steps)
        if first > end:
            return torch.zeros_like(self.values)
        unread = self.digit * (self.steps - end)
        kept = (self.codes >> unread) & (2 ** (self.digit * (end - first + 1)) - 1)
        part = (kept << unread) * self.step
        return part + (self.values - self.codes * self.step) if end == self.steps else part


@dataclass(frozen=True, eq=False)
class Decision:
    """Pre-activations of a batch and the code words decided on them.

    Attributes:
        z: pre-activations of the whole input.
        words: code words that are sent, of max pooling the phases at which it passes a spike on; None without a code.
        on_whole: words decided on the whole input; with a full wait the same object as `words`.
        noise: values of the spikes that are sent minus those decided on the whole input; None with a full wait.
        pinned: number of values at the limit of v at the end of the window.
    """

    z: torch.Tensor
    words: torch.Tensor | None
    on_whole: torch.Tensor | None
    noise: torch.Tensor | None = None
    pinned: int = 0
