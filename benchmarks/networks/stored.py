"""Weights of a benchmark network: half precision on disk, single precision in the network."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import torch
from safetensors.torch import load_file, save_file
from torch import nn

Net = TypeVar("Net", bound=nn.Module)
FILE = "weights.safetensors"


def save_weights(network: nn.Module, folder: Path) -> None:
    """Write the weights in half precision, which keeps three digits, and batch norm's statistics with them.

    The stored network is the one that is measured: accuracy is always that of the weights as they are read.
    """
    state = {
        name: t.to(torch.float16 if t.is_floating_point() else t.dtype) for name, t in network.state_dict().items()
    }
    save_file({name: t.cpu().contiguous() for name, t in state.items()}, folder / FILE)


def with_weights(network: Net, folder: Path) -> Net:
    """The network with the weights of a folder, for inference."""
    state = load_file(folder / FILE)
    network.load_state_dict({name: t.float() if t.is_floating_point() else t for name, t in state.items()})
    return network.eval()
