"""The generated parts of docs/microcode.md.

    python -m loihi_onespike.executors.microcode.document docs/microcode.md

replaces the text between `<!-- begin NAME -->` and `<!-- end NAME -->`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias

from loihi_onespike.core.graphs.network import Network, Population, Readout
from loihi_onespike.errors import MicrocodeError
from loihi_onespike.executors.microcode.microcode_executor import Execution, execute
from loihi_onespike.microcode.examples import PAYLOAD_VARIANTS, VARIANTS, example, example_codes
from loihi_onespike.microcode.instruction_counts import instruction_counts
from loihi_onespike.microcode.isa import READINGS
from loihi_onespike.microcode.microcode_spec import DEFAULT_SPEC
from loihi_onespike.microcode.neuron import program_of
from loihi_onespike.microcode.neuron_state import state_layout

TIMESTEPS, PAYLOAD_TIMESTEPS = (8, 16, 24), (2, 4, 8)
LISTED, LISTED_PAYLOAD = 4, 3
PLAIN, PLAIN_PAYLOAD, PRODUCT = "ReLU, full wait", "ReLU, full wait, payload", "product of two sums, signed"


def readings() -> str:
    """Table of the instructions and how they are read."""
    rows = [(f"`{op.value}`", f"`{r.operands}`".replace("``", ""), r.effect, r.otherwise) for op, r in READINGS.items()]
    return table(("mnemonic [P]", "operands (ours)", "reading [U]", "if it were otherwise"), rows)


def widths() -> str:
    """Table of the assumed widths of the specification."""
    rows = [(f"`{f.name}`", getattr(DEFAULT_SPEC, f.name)) for f in fields(DEFAULT_SPEC)]
    return table(("assumption [NF]", "bits"), rows)


def layouts() -> str:
    """Table of the state of a neuron for every variant."""
    rows = []
    for name, _, population, network in (*_examples(16), *_payload_examples(4)):
        layout = state_layout(population, network.period_steps)
        text = ", ".join(f"{f.name} {f.bits} (row {f.row}, bit {f.offset})" for f in layout.fields)
        rows.append((name, layout.rows, layout.bits, text))
    return table(("variant", "rows", "bits", "fields"), rows)


def counts() -> str:
    """Table of the number of instructions for every variant and T."""
    rows = []
    examples = [row for t in TIMESTEPS for row in _examples(t)] + [
        row for t in PAYLOAD_TIMESTEPS for row in _payload_examples(t)
    ]
    for name, variant, population, network in examples:
        c = instruction_counts(population, network.period_steps)
        measured = _execution(variant, network.timesteps).measured[population.name].mean
        bound = f"{c.window / len(c.per_step):.1f}"
        bits = 0 if isinstance(population, Readout) else population.code.payload_bits
        program = (c.program, c.constants, c.rows, c.worst, bound)
        rows.append((name, network.timesteps, bits, *program, f"{measured:.1f}"))
    head = ("variant", "T", "b", "program", "constants", "rows", "worst step", "bound, mean of window", "measured mean")
    return table(head, rows)


def listing() -> str:
    """Listing of the program of a ReLU population, with its constants."""
    network = example(PLAIN, LISTED)
    return _code(program_of(network.hidden[0], network.period_steps).listing(constants=True))


def signed_listing() -> str:
    """Listing of the program of a signed population."""
    network = example("signed, full wait", LISTED)
    return _code(program_of(network.hidden[0], network.period_steps).listing())


def payload_listing() -> str:
    """Listing of the program of a ReLU population with one bit of payload."""
    network = example(PLAIN_PAYLOAD, LISTED_PAYLOAD)
    return _code(program_of(network.hidden[0], network.period_steps).listing())


def product_listing() -> str:
    """Listing of the program of a population of products."""
    network = example(PRODUCT, LISTED)
    return _code(program_of(network.hidden[0], network.period_steps).listing())


def pool_listing() -> str:
    """Listing of the program of a max pooling population."""
    network = example(PLAIN, LISTED)
    return _code(program_of(network.hidden[1], network.period_steps).listing())


PARTS: dict[str, Callable[[], str]] = {
    "readings": readings,
    "widths": widths,
    "layouts": layouts,
    "counts": counts,
    "listing": listing,
    "signed listing": signed_listing,
    "payload listing": payload_listing,
    "product listing": product_listing,
    "pool listing": pool_listing,
}


def updated(text: str, parts: Mapping[str, Callable[[], str]] = PARTS) -> str:
    """A document with every generated part replaced.

    Args:
        text: the document.
        parts: functions that write the parts, by name.

    Raises:
        MicrocodeError: the document has no place for a part.
    """
    for name, part in parts.items():
        begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->"
        head, _, rest = text.partition(begin)
        _, found, tail = rest.partition(end)
        if not found:
            raise MicrocodeError(
                f"document: must have a place for {name} between {begin.strip()} and {end}, but has none"
            )
        text = f"{head}{begin}{part()}\n{end}{tail}"
    return text


_Example: TypeAlias = "tuple[str, str, Population | Readout, Network]"
"""Name in the tables, variant of the network, population and network."""


def _examples(timesteps: int) -> Iterable[_Example]:
    for variant in VARIANTS:
        network = example(variant, timesteps)
        yield variant, variant, network.hidden[0], network
    network = example(PLAIN, timesteps)
    yield "max pooling, relay", PLAIN, network.hidden[1], network
    yield "readout", PLAIN, network.readout, network


def _payload_examples(timesteps: int) -> Iterable[_Example]:
    for variant in PAYLOAD_VARIANTS:
        network = example(variant, timesteps)
        yield variant, variant, network.hidden[0], network
    network = example(PLAIN_PAYLOAD, timesteps)
    yield "relay, payload", PLAIN_PAYLOAD, network.hidden[1], network
    yield "max pooling, payload", PLAIN_PAYLOAD, network.hidden[2], network


@lru_cache(maxsize=32)
def _execution(variant: str, timesteps: int) -> Execution:
    network = example(variant, timesteps)
    return execute(network, example_codes(len(network.input.code.words()) - 1))


def table(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table in Markdown.

    Args:
        head: headings of the columns.
        rows: cells of the rows.
    """
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell) for cell in line) + " |" for line in lines)


def _code(text: str) -> str:
    return f"```text\n{text}\n```"


def main(path: str) -> None:
    """Replace the generated parts of the document at a path."""
    document = Path(path)
    document.write_text(updated(document.read_text(encoding="utf-8")), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
