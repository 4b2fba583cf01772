"""Convert your own network and data from PyTorch to a NetX file, and print accuracy, spikes and energy efficiency.

    python examples/convert_your_model.py                        trains a small network on handwritten digits first
    python examples/convert_your_model.py data.npz weights.pt    your data (arrays x and y) and weights (a state_dict)

Define your network in `build`. The same from the command line:

    onespike convert examples/convert_your_model.py:build --weights weights.pt --data data.npz -o net.h5
    onespike evaluate net.h5 --data data.npz --model examples/convert_your_model.py:build --weights weights.pt
"""

import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.data import load_data
from loihi_onespike.data.digits import training_part
from loihi_onespike.models.weights import load_weights


def build() -> nn.Module:
    """Your network: any torch.nn.Module of convolutions, linear layers, batch norm, ReLU and pooling."""
    convolution = (nn.Conv2d(1, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*convolution, nn.Flatten(), nn.Linear(128, 32), nn.ReLU(), nn.Linear(32, 10))


def write_example_files(data: Path, weights: Path) -> None:
    """Write example files: test data with calibration images from the training part, and trained weights."""
    x, y = training_part()
    test = load_data("digits")
    np.savez(data, x=np.asarray(test.images), y=test.labels, x_calibration=x)
    torch.manual_seed(0)
    model = build().train()
    optimizer = torch.optim.Adam(model.parameters(), 0.01)
    for _ in range(60):
        optimizer.zero_grad()
        nn.functional.cross_entropy(model(torch.from_numpy(x)), torch.from_numpy(y)).backward()
        optimizer.step()
    torch.save(model.state_dict(), weights)


def main(data_file: str = "data.npz", weights_file: str = "weights.pt") -> None:
    """Convert the network and evaluate it on the data."""
    if len(sys.argv) == 1:
        write_example_files(Path(data_file), Path(weights_file))
    model = build()
    load_weights(model, Path(weights_file))
    data = load_data(data_file, calibration_images=512)

    net = los.convert(model, data.calibration, timesteps=16)
    print(net)
    result = net.evaluate(data.images, data.labels)
    print(f"ANN       {result.ann_accuracy}")
    print(f"one-spike {result.accuracy}, {result.hidden_spikes_per_neuron:.2f} spikes per hidden neuron")
    print(f"α         {result.alpha_fp32:.1f} FP32, {result.alpha_int8:.1f} INT8")
    print(f"file      {net.save('net.h5')}")


if __name__ == "__main__":
    if "--help" in sys.argv or "-h" in sys.argv:
        print(__doc__)
    else:
        main(*sys.argv[1:3])
