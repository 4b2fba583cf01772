"""Calling the ANN as a conversion reads it: in eval mode, without gradients."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray


def ann_output(model: torch.nn.Module, x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Output of the ANN in eval mode; the training flags of its modules are left as they were."""
    parameter = next(model.parameters(), torch.zeros(()))
    return call_model(model, torch.from_numpy(np.ascontiguousarray(x)).to(parameter.device, parameter.dtype))


@torch.no_grad()
def call_model(model: torch.nn.Module, *arguments: Any) -> NDArray[np.float64]:
    """Output of the ANN in eval mode for arguments as it takes them."""
    flags = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        out = model(*arguments)
    finally:
        for module, training in flags:
            module.training = training
    while isinstance(out, tuple | list | dict):
        (out,) = out.values() if isinstance(out, dict) else out
    return out.double().cpu().numpy()
