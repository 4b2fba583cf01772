"""The part that all trials of a search have in common: the model, the images and the fixed options."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

import numpy as np
import torch

from loihi_onespike.analysis.tuning.images import DataPart, DataSplit
from loihi_onespike.analysis.tuning.limits import NetworkFigures
from loihi_onespike.analysis.tuning.setting import ConversionSetting, Space
from loihi_onespike.api import convert, prices_of
from loihi_onespike.conversion.calibration import Method
from loihi_onespike.conversion.calibration.population import may_be_two_sided
from loihi_onespike.conversion.options import ALPHA, ConversionOptions
from loihi_onespike.conversion.pipeline import lowered_stages, source_of
from loihi_onespike.conversion.resolved_options import resolve_options
from loihi_onespike.core.graphs.stage import StageGraph

FIXED = (
    "weight_bits", "input_bits", "input_code", "normalization", "threshold_shift", "objective", "price", "account",
    "payload_bits",
)  # fmt: skip
"""Options of `convert` that are given once and not searched."""


@dataclass(frozen=True, eq=False)
class Task:
    """Conversion and measurement of one model with different settings.

    Attributes:
        model: the ANN.
        parts: images by purpose.
        method: calibration; a setting replaces `two_sided`.
        fixed: options of `convert`, of those in FIXED.
    """

    model: torch.nn.Module
    parts: DataSplit
    method: Method
    fixed: Mapping[str, Any]

    def measure(self, setting: ConversionSetting, part: DataPart) -> NetworkFigures:
        """Convert with a setting and evaluate the integer network on a part of the data."""
        net = convert(self.model, np.asarray(self.parts.calibration.images), **self.options(setting))
        return NetworkFigures.of(net.evaluate(part.images, part.labels, board=self._board))

    @cached_property
    def may_be_two_sided(self) -> bool:
        """Whether two-sided spikes change anything: some population may send them (max pooling reads no such one)."""
        priced = self._fixed_options.elasticity is not None
        return any(s.kind != "max_pool" and may_be_two_sided(self._stages, s, priced) for s in self._stages.hidden)

    def options(self, setting: ConversionSetting) -> dict[str, Any]:
        """Keyword arguments of `convert` for a setting."""
        return {**self.fixed, **setting.keywords(self.method)}

    def setup(self, space: Space, seed: int) -> dict[str, Any]:
        """Everything that the figures depend on, as JSON-like values; a study is only continued with the same."""
        weights = sha256()
        for name, value in self.model.state_dict().items():
            weights.update(name.encode() + value.detach().cpu().contiguous().numpy().tobytes())
        return {
            "model": f"{self.model._get_name()} {weights.hexdigest()[:16]}",
            "calibration images": _digest(np.asarray(self.parts.calibration.images)),
            "search images": _digest(np.asarray(self.parts.search.images)) + " " + self.parts.search.digest,
            "seed": seed,
            "space": asdict(space),
            "method": asdict(self.method),
            "options": self._fixed_record(),
        }

    @property
    def _fixed_options(self) -> ConversionOptions:
        """What all conversions have in common."""
        return ConversionOptions(**self.fixed, method=self.method)

    @property
    def _board(self) -> str | None:
        """The board whose account the conversions use; None for the additions of α."""
        account = self._fixed_options.account
        return None if account == ALPHA else account

    @cached_property
    def _stages(self) -> StageGraph:
        """Stages that compute what the model computes."""
        return lowered_stages(source_of(self.model, np.asarray(self.parts.calibration.images)))

    def _fixed_record(self) -> dict[str, Any]:
        """The fixed options, with the objective and the bits of payload that "auto" comes to.

        The objective "accuracy" and a payload of 0 bits are left out, as in studies from before there were other
        defaults.
        """
        others = {name: value for name, value in self.fixed.items() if name not in ("objective", "payload_bits")}
        resolved, _ = resolve_options(self._fixed_options, self._stages, prices_of(self._board))
        if resolved.payload_bits:
            others["payload_bits"] = resolved.payload_bits
        chosen = resolved.chosen_objective
        return others if chosen == "accuracy" else {**others, "objective": chosen}


def _digest(values: np.ndarray) -> str:
    return sha256(np.ascontiguousarray(values).tobytes()).hexdigest()[:16]
