"""Calling the ANN as a conversion reads it: in eval mode, without gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from loihi_onespike.core.graphs.output_form import OutputForm, joined
from loihi_onespike.frontend.tracing.preserve import plain_attention
from loihi_onespike.frontend.tracing.trees import leaves

TRACED_SAMPLES = 2
"""Number of samples with which a model is traced and compared with its stages."""


def traced_sample(model: torch.nn.Module, x: NDArray[np.floating]) -> torch.Tensor:
    """The first samples of x (N, …), in the precision of the model's weights, to trace it with."""
    example = torch.from_numpy(np.asarray(x[:TRACED_SAMPLES]))
    of_weights = (p.dtype for p in model.parameters() if p.dtype in (torch.float32, torch.float64))
    return example.to(next(of_weights, example.dtype))


def ann_output(model: torch.nn.Module, x: NDArray[np.floating], form: OutputForm | None = None) -> NDArray[np.float64]:
    """Output of the ANN in eval mode; the training flags of its modules are left as they were.

    Args:
        model: the ANN.
        x: inputs (N, …).
        form: what it returns around several outputs; they are then side by side, (N, values of all). None for one.
    """
    parameter = next(model.parameters(), torch.zeros(()))
    inputs = torch.from_numpy(np.ascontiguousarray(x)).to(parameter.device, parameter.dtype)
    if form is None:
        return call_model(model, inputs)
    return joined([output.double().cpu().numpy() for output in form.parts(returned(model, inputs))])


def call_model(model: torch.nn.Module, *arguments: Any) -> NDArray[np.float64]:
    """The single output of the ANN in eval mode for arguments as it takes them."""
    (output,) = (leaf for leaf in leaves(returned(model, *arguments)) if isinstance(leaf, torch.Tensor))
    return output.double().cpu().numpy()


@torch.no_grad()
def returned(model: torch.nn.Module, *arguments: Any) -> Any:
    """What the ANN returns in eval mode for arguments as it takes them."""
    flags = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with plain_attention():
            return model(*arguments)
    finally:
        for module, training in flags:
            module.training = training
