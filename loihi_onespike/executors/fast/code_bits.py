"""How the kernels of the fast executor read the code words of a population.

The words of an input in binary or in larger digits are numbers, each digit that is not zero a spike; those of a code of
one spike are phases. With payload the
kernels read phase and message of the spike side by side, sign · (phase · 2^7 + message).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.core.codes import MAX_MESSAGE, Code, PayloadCode, PositionalCode, SingleSpikeCode
from loihi_onespike.core.registry import EntryRegistry
from loihi_onespike.executors.float.quantize_kernel import look_up
from loihi_onespike.executors.threads import over_rows

WITH_MESSAGE = -1
"""Entry of codes whose spikes carry a message."""
MESSAGE_BITS = MAX_MESSAGE.bit_length()
"""Bits of the message in what the kernels read."""
STEP_BITS = 8
"""Bits of the number of digits in the entry of codes of digits."""

CODE_BITS: EntryRegistry[Callable[[Any], int]] = EntryRegistry("the event kernels", __name__)
"""Entries bits(code): T + (d << STEP_BITS) for T digits of d bits, 0 for one spike, WITH_MESSAGE if it has payload."""

CODE_BITS.add(PositionalCode, lambda code: code.timesteps + (code.digit << STEP_BITS))
CODE_BITS.add(SingleSpikeCode, lambda code: 0)
CODE_BITS.add(PayloadCode, lambda code: WITH_MESSAGE)


def code_bits(code: Code) -> int:
    """How the kernels read the code words (see CODE_BITS); raises MissingEntryError for a code without an entry."""
    return CODE_BITS[code](code)


def narrow_words(words: NDArray[np.integer], code: Code) -> NDArray[np.integer]:
    """Code words as int16, or as int32 for those of 16 bits.

    Nearly all codes share one type, so that a kernel is compiled only once.
    """
    return words.astype(np.int32 if (code.input_bits or 0) > 15 else np.int16, copy=False)


def kernel_codes(words: NDArray[np.integer], code: Code) -> NDArray[np.integer]:
    """What the kernels read for code words of any shape; int16, or int32 where this is too narrow."""
    narrow = narrow_words(words, code)
    if not isinstance(code, PayloadCode):
        return narrow
    positive = (code.phase_of(code.words()) << MESSAGE_BITS) + np.array((0, *code.messages))
    wide = positive.max() > np.iinfo(np.int16).max
    table = np.concatenate([positive, -positive[:0:-1]]).astype(np.int32 if wide else np.int16)
    rows = np.ascontiguousarray(narrow.reshape(len(narrow), -1))
    found = np.empty(rows.shape, table.dtype)
    over_rows(look_up, len(rows), rows, table, found)
    return found.reshape(narrow.shape)
