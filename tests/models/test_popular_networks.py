"""Networks of timm and segmentation_models_pytorch with random weights: each is read and lowered, some are converted.

Neither library is required; `pip install timm segmentation-models-pytorch` adds them. The lines that a converted
network prints (`pytest -s`) say how long `convert` took and how much memory the process came to.
"""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn

import loihi_onespike as los
from loihi_onespike.conversion.pipeline import lowered_stages
from loihi_onespike.conversion.source import BatchSource

pytestmark = pytest.mark.slow

TIMM = [
    *("resnet26", "resnet50", "regnetx_002", "mobilenetv1_100", "mobilenetv2_100", "repvgg_a2", "mobileone_s0"),
    *("efficientnet_lite0", "dla34", "selecsls42", "densenet121", "hrnet_w18_small", "res2net50_26w_4s"),
    *("resnetblur50", "resnext50_32x4d"),
]
SEGMENTATION = ["Unet", "Linknet", "UnetPlusPlus"]
CONVERTED = ["mobilenetv2_100", "resnet26", "Unet"]
SIDE = 64


def build(name: str) -> nn.Module:
    torch.manual_seed(0)
    if name in SEGMENTATION:
        library = pytest.importorskip("segmentation_models_pytorch")
        made: nn.Module = getattr(library, name)("resnet18", encoder_weights=None, classes=3)
    else:
        create: Callable[..., nn.Module] = pytest.importorskip("timm").create_model
        made = create(name, pretrained=False, num_classes=10)
    return with_statistics(made).eval()


def with_statistics(model: nn.Module) -> nn.Module:
    """The model after a batch in train mode, so that its batch norms keep the range of the activations."""
    with torch.no_grad():
        for module in model.modules():
            if isinstance(module, nn.modules.batchnorm._BatchNorm):
                # the statistics become those of this batch
                module.momentum = None  # type: ignore[assignment]
        model.train()(torch.randn(8, 3, SIDE, SIDE))
    return model


def images(count: int) -> np.ndarray:
    return np.random.default_rng(0).normal(size=(count, 3, SIDE, SIDE)).astype(np.float32)


@pytest.mark.parametrize("name", TIMM + SEGMENTATION)
def test_it_is_read_and_lowered(name: str) -> None:
    """`lowered_stages` compares what was lowered with the model."""
    stages = lowered_stages(BatchSource.of(build(name), [images(2)]))
    assert len(list(stages.hidden)) > 10


@pytest.mark.parametrize("name", CONVERTED)
@pytest.mark.timeout(1800)
def test_it_is_converted(name: str) -> None:
    model, began = build(name), time.perf_counter()
    net = los.convert(model, images(16), timesteps=8)
    seconds, peak = time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    found = net.predict(images(1))
    print(f"\n{name}: {net}, convert {seconds:.0f} s, process at most {peak:.1f} GiB")
    assert found.shape == model(torch.from_numpy(images(1))).shape and np.isfinite(found).all()
