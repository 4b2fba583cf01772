"""Cores, chips and seconds of the networks of the paper, with random weights: VGG-16 and ResNets, 32 and 224 wide.

    python -m benchmarks.mapping --json mapping.json
    python -m benchmarks.mapping --boards hala_point nahuku_32
    python -m benchmarks.mapping --boards oheo_gulch --networks "ResNet-20, 32 × 32"

The networks are lowered to spiking stages in real numbers, which have the shapes and maps of the integer network;
weights count as 8 bits. Nothing is calibrated or run. Axon delays are not known at this point, so the cores do not
include relays, which long residual branches may need.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from math import prod

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.command_line import command_parser, write_json
from loihi_onespike.boards.mapping import Afferent, MappedLayer, map_layers
from loihi_onespike.conversion.lowering.lower import lower
from loihi_onespike.conversion.lowering.pool_last import pool_last
from loihi_onespike.core.graphs.stage import OutputStage, Stage, StageGraph
from loihi_onespike.frontend.importer import trace

WEIGHT_BITS = 8


class BasicBlock(nn.Module):
    """Two convolutions and a shortcut without weights: subsampled, padded with zero channels (He et al., option A)."""

    def __init__(self, into: int, out: int, stride: int) -> None:
        super().__init__()
        self.first, self.first_norm = nn.Conv2d(into, out, 3, stride, 1, bias=False), nn.BatchNorm2d(out)
        self.second, self.second_norm = nn.Conv2d(out, out, 3, 1, 1, bias=False), nn.BatchNorm2d(out)
        self.stride, self.more = stride, (out - into) // 2

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Feature maps (N, out, …)."""
        y = self.second_norm(self.second(F.relu(self.first_norm(self.first(x)))))
        if self.stride > 1:
            x = F.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, self.more, self.more))
        return F.relu(y + x)


def resnet20() -> nn.Module:
    """ResNet-20 of He et al. for 32 × 32 images."""
    widths = [16] * 3 + [32] * 3 + [64] * 3
    blocks = [BasicBlock(a, b, b // a) for a, b in zip([16, *widths], widths, strict=False)]
    stem = [nn.Conv2d(3, 16, 3, 1, 1, bias=False), nn.BatchNorm2d(16), nn.ReLU()]
    return nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, 10))


def vgg16_cifar() -> nn.Module:
    """VGG-16 for 32 × 32 images: 13 convolutions with batch norm, one linear layer."""
    layers: list[nn.Module] = []
    into = 3
    for width in (64, 64, 0, 128, 128, 0, 256, 256, 256, 0, 512, 512, 512, 0, 512, 512, 512, 0):
        if width == 0:
            layers.append(nn.MaxPool2d(2))
            continue
        layers += [nn.Conv2d(into, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU()]
        into = width
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(512, 10))


def _torchvision(name: str) -> Callable[[], nn.Module]:
    def made() -> nn.Module:
        import torchvision

        return getattr(torchvision.models, name)(weights=None)

    return made


NETWORKS: dict[str, tuple[Callable[[], nn.Module], int]] = {
    "ResNet-20, 32 × 32": (resnet20, 32),
    "VGG-16, 32 × 32": (vgg16_cifar, 32),
    "ResNet-18, 32 × 32": (_torchvision("resnet18"), 32),
    "ResNet-18, 224 × 224": (_torchvision("resnet18"), 224),
    "ResNet-34, 224 × 224": (_torchvision("resnet34"), 224),
    "VGG-16, 224 × 224": (_torchvision("vgg16_bn"), 224),
}


def layers_of_stages(graph: StageGraph) -> tuple[MappedLayer, ...]:
    """Layers of a network in real numbers; a bias with more than one value takes a second row of state."""
    layers = []
    for stage in graph.stages:
        if not isinstance(stage, Stage | OutputStage):
            continue
        links = enumerate(stage.links)
        afferents = tuple(
            Afferent(f"{stage.name} {i}", k.pre, graph.by_name[k.pre].shape, k.op, k.index, WEIGHT_BITS)
            for i, k in links
        )
        rows = 1 if isinstance(stage, OutputStage) or np.all(stage.bias == stage.bias.flat[0]) else 2
        layers.append(MappedLayer(stage.name, stage.shape, rows, afferents, isinstance(stage, OutputStage)))
    return tuple(layers)


def network_layers(model: nn.Module, size: int) -> tuple[MappedLayer, ...]:
    """Layers of a model for RGB images of size × size; batch norms get random shifts, as trained ones have them."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.bias)
    graph, rewrites = pool_last(trace(model.eval(), torch.rand(1, 3, size, size)))
    return layers_of_stages(lower(graph, rewrites))


def row(name: str, board: str, layers: Sequence[MappedLayer]) -> dict[str, object]:
    """Figures of one network on one board.

    Args:
        name: name of the network.
        board: name of the board.
        layers: its layers.
    """
    wall, cpu = time.perf_counter(), time.process_time()
    mapping = map_layers(layers, board)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "network": name,
        "board": board,
        "neurons": sum(prod(y.shape) for y in mapping.layers),
        "layers": len(mapping.layers),
        "cores": len(mapping.placement.cores),
        "chips": -(-len(mapping.placement.cores) // (mapping.placement.board.usable_cores_per_chip.value or 1)),
        "smallest_board": mapping.smallest_board,
        "violations": [str(v) for v in mapping.violations],
        "packets_between_chips": round(mapping.crossing_packets),
        "seconds": round(wall, 2),
        "cpu_seconds": round(cpu, 2),
    }


def main() -> None:
    """Run the command."""
    parser = command_parser(__doc__)
    parser.add_argument(
        "--boards", nargs="+", default=["hala_point"], help="boards of hw_configs (default: hala_point)"
    )
    parser.add_argument("--networks", nargs="+", choices=list(NETWORKS), metavar="NAME", help="default: all")
    args = parser.parse_args()
    rows = []
    for name in args.networks or NETWORKS:
        made, size = NETWORKS[name]
        torch.manual_seed(0)
        layers = network_layers(made(), size)
        for board in args.boards:
            rows.append(row(name, board, layers))
            print(rows[-1], flush=True)
    write_json(args.json, rows)


if __name__ == "__main__":
    main()
