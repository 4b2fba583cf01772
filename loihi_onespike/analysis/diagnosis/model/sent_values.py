"""What a population decides in one window, and what it sends: real values with the step at which each arrives."""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch


@dataclass(frozen=True, eq=False)
class SentValues:
    """Values relative to the value of no spike.

    A value that no spike of the code stands for (an error of the code is switched off) arrives where its spike would;
    one below the last threshold arrives at the last step.

    Attributes:
        values: (B, *shape).
        phases: (B, *shape) phase of the spike, its sign left out, 0 for none; None where no reader needs the steps.
        codes: (B, *shape) codes of a binary coded input, in place of phases.
        step: value of code 1, broadcastable, with `codes`.
        steps: length of the window.
    """

    values: torch.Tensor
    phases: torch.Tensor | None
    steps: int
    codes: torch.Tensor | None = None
    step: torch.Tensor | None = None

    def between(self, first: int, last: int) -> torch.Tensor:
        """Sum of what arrives at the steps first .. last, counted from 1, both included."""
        if first <= 1 and last >= self.steps:
            return self.values
        if self.codes is not None:
            return self._bits(first, last)
        assert self.phases is not None
        arrives = self.phases.masked_fill(self.phases == 0, self.steps)
        return self.values * ((arrives >= first) & (arrives <= last))

    def first(self, images: int) -> SentValues:
        """The same for the first images of the batch."""
        phases, codes = (None if a is None else a[:images] for a in (self.phases, self.codes))
        return replace(self, values=self.values[:images], phases=phases, codes=codes)

    def _bits(self, first: int, last: int) -> torch.Tensor:
        """Most significant bit at step 1; what the bits do not carry comes with the last one."""
        assert self.codes is not None and self.step is not None
        end = min(last, self.steps)
        if first > end:
            return torch.zeros_like(self.values)
        unread = self.steps - end
        kept = (self.codes >> unread) & (2 ** (end - first + 1) - 1)
        part = (kept << unread) * self.step
        return part + (self.values - self.codes * self.step) if end == self.steps else part


@dataclass(frozen=True, eq=False)
class Decision:
    """Pre-activations of a batch and what was decided on them.

    Attributes:
        z: on the whole input.
        phases: as sent.
        on_whole: as they would be, decided on the whole input; the same object with a full wait.
        noise: value of the spikes as sent less that of the decision on the whole input; None with a full wait.
        pinned: neurons at the limit of v at the end of the window.
    """

    z: torch.Tensor
    phases: torch.Tensor | None
    on_whole: torch.Tensor | None
    noise: torch.Tensor | None = None
    pinned: int = 0
