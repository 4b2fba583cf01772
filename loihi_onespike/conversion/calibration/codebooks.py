"""One code for all populations that one stage reads: its neurons have one leak, so the levels must be the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.conversion.calibration.code_fit import ActivationValues, Payload, fit_codebook
from loihi_onespike.core.codes import Base, PayloadCode, PhaseCode, SingleSpikeCode
from loihi_onespike.core.graphs.stage import InputStage, Stage, StageGraph
from loihi_onespike.core.graphs.verify_network import digit_of_window

RELATIVE_TAIL = 0.02
"""Share of the smallest values of a population of scale factors that the range of its code leaves out."""
NEGLIGIBLE = 1e-12
"""Part of the largest value of a channel below which a value is as good as 0, as exponentials of masked keys are."""
RELATIVE_MARGIN = 1.5
"""Factor by which the levels of scale factors reach beyond the values of the calibration data, at either end."""
LEAST_BASE, MOST_BASE = 1.01, 4.0
"""Limits of the factor between the levels of scale factors."""
CHANNELS = 64
"""Largest number of channels per population that the levels are fitted to."""


def groups(graph: StageGraph) -> list[list[Stage]]:
    """Hidden stages in groups that must share a code.

    Two stages must if one sum reads both, or if one of them is the max pooling of the other.
    """
    root = {stage.name: stage.name for stage in graph.hidden}

    def find(name: str) -> str:
        while root[name] != name:
            name = root[name]
        return name

    for stage in graph.stages:
        if isinstance(stage, InputStage):
            continue
        for each in stage.sums:
            together = [link.pre for link in each.links if link.pre in root]
            if stage.kind == "max_pool":
                together.append(stage.name)
            for name in together[1:]:
                root[find(name)] = find(together[0])
    members: dict[str, list[Stage]] = {}
    for stage in graph.hidden:
        members.setdefault(find(stage.name), []).append(stage)
    return list(members.values())


def codebooks(
    graph: StageGraph,
    values: Mapping[str, ActivationValues],
    timesteps: int,
    payload_bits: int = 0,
    done: Callable[[], None] = lambda: None,
) -> dict[str, SingleSpikeCode]:
    """Code of every hidden stage, fitted to the activations of its group.

    Args:
        graph: stages that get codes.
        values: activations by stage; stages of max pooling are not among them.
        timesteps: number of phases T.
        payload_bits: bits of payload of a spike; populations that a max pooling reads may get fewer.
        done: called after every group.
    """
    codes: dict[str, SingleSpikeCode] = {}
    for group in groups(graph):
        if is_relative(group):
            code = relative_code(group, values, timesteps, payload_bits)
            codes.update({stage.name: code for stage in group})
            done()
            continue
        alive = [values[s.name].of_channels(thinned(values[s.name])) for s in group if s.name in values]
        code = fit_codebook(alive, timesteps, payload=payload_of(group, payload_bits))
        codes.update({stage.name: code for stage in group})
        done()
    return codes


def codes_of_base(
    graph: StageGraph,
    base: float,
    timesteps: int,
    payload_bits: int | Mapping[str, int] = 0,
    threshold_shift: bool = True,
) -> dict[str, SingleSpikeCode]:
    """Code of every hidden stage with one factor between successive phases, which messages divide evenly.

    Args:
        graph: stages that get codes.
        base: the factor.
        timesteps: number of phases T.
        payload_bits: as for `codebooks`, or by stage, the same for all stages of a group.
        threshold_shift: whether values round to the nearest level or down.
    """
    codes: dict[str, SingleSpikeCode] = {}
    for group in groups(graph):
        bits = payload_bits if isinstance(payload_bits, int) else payload_bits[group[0].name]
        payload = payload_of(group, bits)
        if payload is None:
            code: SingleSpikeCode = PhaseCode(Base.nearest(base), timesteps, threshold_shift)
        else:
            code = PayloadCode.geometric(base, timesteps, payload.bits, threshold_shift, payload.largest)
        codes.update({stage.name: code for stage in group})
    return codes


def is_relative(group: Sequence[Stage]) -> bool:
    """Whether all stages of a group have scale factors as values (`Activation.relative`)."""
    return all(stage.activation.relative for stage in group)


def relative_code(
    group: Sequence[Stage], values: Mapping[str, ActivationValues], timesteps: int, payload_bits: int
) -> SingleSpikeCode:
    """Code with one factor between levels, so that all of them have the same relative error.

    The factor is the T-th root of the largest range that the values of a channel have, with RELATIVE_MARGIN. Of values
    that may vanish, such as exponentials, the smallest RELATIVE_TAIL are left out, and those below NEGLIGIBLE.

    Args:
        group: stages of scale factors that share a code.
        values: activations by stage.
        timesteps: number of phases T.
        payload_bits: bits of payload of a spike.
    """
    tail = RELATIVE_TAIL if all(stage.activation.vanishes for stage in group) else 0.0
    span = 1.0
    for stage in group:
        shares = values[stage.name].sorted.values / values[stage.name].largest[:, None]
        if np.any(shares > NEGLIGIBLE):
            span = max(span, 1 / float(np.quantile(shares[shares > NEGLIGIBLE], tail)))
    base = float(np.clip((RELATIVE_MARGIN**2 * span) ** (1 / timesteps), LEAST_BASE, MOST_BASE))
    payload = payload_of(group, payload_bits)
    if payload is None:
        return PhaseCode(Base.nearest(base), timesteps)
    return PayloadCode.geometric(base, timesteps, payload.bits, largest=payload.largest)


def payload_of(group: Sequence[Stage], bits: int) -> Payload | None:
    """Messages that the stages of a group can send: small ones where a max pooling is among them.

    Max pooling keeps the messages of all neurons of its window as digits of v. Windows that have no room for digits of
    two bits get no payload.

    Args:
        group: hidden stages that share a code.
        bits: bits of payload that the options ask for.
    """
    windows = [link.op.fan_in for s in group if s.kind == "max_pool" for link in s.links]
    digit = digit_of_window(max(windows, default=1))
    bits = min(bits, digit - 1)
    return Payload(bits, 2**digit - 1) if bits > 0 else None


def thinned(values: ActivationValues, most: int = CHANNELS) -> NDArray[np.int64]:
    """Numbers of at most `most` channels, evenly spread."""
    count = len(values.largest)
    chosen: NDArray[np.int64] = np.linspace(0, count - 1, min(count, most)).astype(np.int64)
    return chosen
