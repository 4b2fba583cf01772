"""Readings of a board's profiler after a run, and what they mean per image."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass

SHORT_STEPS, LONG_STEPS = 2_000, 10_000
"""Shortest and longest run in steps whose energy is worth measuring."""
RESOLUTION_MW = 10.0
"""Resolution of the dynamic power in mW, which is total minus static power [C]."""


@dataclass(frozen=True)
class BoardMeasurement:
    """A measured run, as the board reported it.

    Attributes:
        steps: Length of the run in steps.
        period_steps: Steps per image.
        compute_only: The input came from the chip; otherwise the host sent it and may have limited the speed.
        raw: Readings of the board: `execution_time` in s; `power` and `static_power`, the mean over the run in W;
            `num_alloc_chips` and `num_available_chips`; other readings are reported as they are. None or missing for
            what a board does not measure.
    """

    steps: int
    period_steps: int
    compute_only: bool
    raw: Mapping[str, float | None]

    @property
    def label(self) -> str:
        """Where the input came from, in words."""
        return "compute only (input replayed from the chip)" if self.compute_only else "input from the host"

    @property
    def seconds(self) -> float:
        """Execution time of the run in s."""
        return self.raw.get("execution_time") or 0.0

    @property
    def step_us(self) -> float:
        """Mean time of a step in µs."""
        return self.seconds / self.steps * 1e6

    @property
    def images_per_s(self) -> float | None:
        """Throughput in images per second; None where no time was measured."""
        return self.steps / self.period_steps / self.seconds if self.seconds > 0 else None

    @property
    def static_mw(self) -> float | None:
        """Static power in mW of the chips that the network uses.

            P_static = P_static(board) · chips in use / chips on the board

        None where the profiler gives no static power.
        """
        static, used, there = (self.raw.get(n) for n in ("static_power", "num_alloc_chips", "num_available_chips"))
        if static is None:
            return None
        share = used / there if used and there else 1.0
        return static * share * 1e3

    @property
    def dynamic_mw(self) -> float | None:
        """Dynamic power in mW: total power of the run minus static power of the whole board."""
        total, static = self.raw.get("power"), self.raw.get("static_power")
        return None if total is None or static is None else (total - static) * 1e3

    @property
    def total_mw(self) -> float | None:
        """Dynamic power plus the static power of the chips in use, in mW; None where either is unknown."""
        dynamic, static = self.dynamic_mw, self.static_mw
        return None if dynamic is None or static is None else dynamic + static

    def per_image_uj(self, power_mw: float | None) -> float | None:
        """Energy per image in µJ for a given power.

        E = P · seconds / images        (mW · s = mJ = 10^3 µJ)
        """
        images = self.steps / self.period_steps
        return None if power_mw is None else power_mw * self.seconds * 1e3 / images

    @property
    def warnings(self) -> tuple[str, ...]:
        """Reasons not to trust a figure, one sentence each."""
        found = []
        if not SHORT_STEPS <= self.steps <= LONG_STEPS:
            found.append(f"{self.steps} steps: energy is worth measuring over {SHORT_STEPS:,} to {LONG_STEPS:,}")
        dynamic = self.dynamic_mw
        if dynamic is None:
            found.append("the profiler gave no power; figures of energy are missing")
        elif dynamic < 0:
            found.append(
                f"dynamic power reads {dynamic:.1f} mW, below zero: it is total less static and good to about "
                f"{RESOLUTION_MW:.0f} mW; measure longer, or a larger network"
            )
        elif dynamic < RESOLUTION_MW:
            found.append(f"dynamic power reads {dynamic:.1f} mW, no more than its resolution of {RESOLUTION_MW:.0f} mW")
        if not self.raw.get("num_alloc_chips") or not self.raw.get("num_available_chips"):
            found.append("the profiler did not say how many chips idle: static power is that of the whole board")
        if not self.compute_only:
            found.append("the host sent the input: the time may be that of the link; --compute-only measures the cores")
        return tuple(found)

    def to_dict(self) -> dict[str, object]:
        """Readings and derived figures as JSON-compatible values."""
        return {
            **asdict(self),
            "label": self.label,
            "step_us": self.step_us,
            "images_per_s": self.images_per_s,
            "static_mw": self.static_mw,
            "dynamic_mw": self.dynamic_mw,
            "total_mw": self.total_mw,
            "dynamic_uj_per_image": self.per_image_uj(self.dynamic_mw),
            "total_uj_per_image": self.per_image_uj(self.total_mw),
            "warnings": list(self.warnings),
        }
