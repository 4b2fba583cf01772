"""A board that knows a hand-over folder and nothing else: it runs what was written, and shares no code with the writer.

The listing is read line by line into instructions, the tables into arrays; the interpreter then runs them.
"""

from __future__ import annotations

import csv
import json
import re
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np

from loihi_onespike.microcode.interpreter import Interpreter
from loihi_onespike.microcode.isa import READINGS, Constant, Field, Immediate, Instruction, Op, Register
from loihi_onespike.microcode.neuron_state import StateField, StateLayout
from loihi_onespike.microcode.program import Program

LINE = re.compile(r"\s*(\d+) (?:(\w+):)?\s*([A-Z_]+)\s*([^;]*)(?:;.*)?$")


def table(path):
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def operand(text):
    if text.startswith("["):
        return Field(text[1:-1])
    if text.startswith("#"):
        return Constant(text[1:])
    return Immediate(int(text)) if re.fullmatch(r"-?\d+", text) else Register(text)


def program_of_listing(name, text, constants, layout):
    lines = [re.fullmatch(LINE, line).groups() for line in text.splitlines()]  # type: ignore[union-attr]
    places = {label: int(place) for place, label, _, _ in lines if label}
    instructions: list[Instruction] = []
    for place, _, op, rest in lines:
        assert int(place) == len(instructions)
        mnemonic, parts = Op(op), [part.strip() for part in rest.split(",") if part.strip()]
        if mnemonic is Op.JUMP_C:
            target = places.get(parts[0], len(lines) if not parts[0].isdigit() else int(parts[0]))
            instructions.append(Instruction(mnemonic, None, (), target))
            continue
        operands = [operand(part) for part in parts]
        out = operands.pop(0) if READINGS[mnemonic].writes else None
        instructions.append(Instruction(mnemonic, out, tuple(operands)))
    return Program(name, tuple(instructions), constants, layout)


class FolderBoard:
    """All populations and synapses of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.index = json.loads((folder / "network.json").read_text())
        self.cores = {p["name"]: self.core(p) for p in self.index["populations"]}
        sizes = {name: core.neurons for name, core in self.cores.items()}
        sizes[self.index["input"]["name"]] = int(np.prod(self.index["input"]["shape"]))
        self.synapses = []
        for s in self.index["synapses"]:
            weights = np.zeros((sizes[s["post"]], sizes[s["pre"]]), np.int64)
            for row in table(folder / s["table"]):
                weights[int(row["post"]), int(row["pre"])] = int(row["weight"])
            place = s["post"], s["accumulator"]
            self.synapses.append((s["pre"], *place, weights * 2 ** s["weight_exp"], 1 + s["axon_delay"]))

    def core(self, p):
        layout = StateLayout(tuple(StateField(f["field"], f["bits"], f["row"], f["lowest_bit"]) for f in p["state"]))
        rows = table(self.folder / p["initial_state"])
        state = {f.name: np.array([int(row[f.name]) for row in rows]) for f in layout.fields}
        listing = (self.folder / p["listing"]).read_text()
        program = program_of_listing(p["name"], listing, p["constants"], layout)
        core = Interpreter(program, state, graded_spikes=bool(p["message_bits"]))
        packed = [[int(row[f"row_{i}"], 16) for row in rows] for i in range(p["rows"])]
        assert np.array_equal(core.rows, np.array(packed, np.uint64)), "packed rows are those of the fields"
        return core

    def run(self):
        """Spikes {(population, board step, neuron): payload} and v {(population, board step): (neurons,)}."""
        sends = defaultdict(list)
        for row in table(self.folder / self.index["input"]["spikes"]):
            sends[int(row["board_step"])].append((int(row["neuron"]), int(row["payload"])))
        name, size = self.index["input"]["name"], int(np.prod(self.index["input"]["shape"]))
        period = self.index["period_steps"]
        last = max(p["start_step"] for p in self.index["populations"]) + (self.index["images"] + 1) * period

        def silence() -> dict[str, Any]:
            return {n: np.zeros((2, core.neurons), np.int64) for n, core in self.cores.items()}

        arriving: dict[int, dict[str, Any]] = defaultdict(silence)
        spikes, v = {}, {}
        for step in range(1, last + 1):
            sent = {name: np.zeros(size, np.int64)}
            for neuron, payload in sends[step]:
                sent[name][neuron] = payload
            inputs = arriving.pop(step, None) or silence()
            for population, core in self.cores.items():
                sent[population] = core.step(inputs[population])
                v[population, step] = self.v(population)
                for neuron in np.flatnonzero(sent[population]):
                    spikes[population, step, int(neuron)] = int(sent[population][neuron])
            for pre, post, accumulator, weights, hop in self.synapses:
                arriving[step + hop][post][accumulator] += weights @ sent[pre]
        return spikes, v

    def v(self, name):
        core, told = self.cores[name], next(p for p in self.index["populations"] if p["name"] == name)
        if told["product_shift"] is None:
            return core.state("v")
        bias = core.state("bias") if "bias" in core.program.layout.by_name else told["constants"].get("bias", 0)
        v = (core.state("first") * core.state("second") >> told["product_shift"]) + bias
        return np.clip(v, -(2**23), 2**23 - 1)
