"""torchvision's networks with random weights."""

from __future__ import annotations

import pytest
import torch

from loihi_onespike.frontend import trace
from tests.frontend.models import assert_close, kinds, randomised, reference
from tests.support.ann_eval import evaluate_torch

models = pytest.importorskip("torchvision.models")

QUICK = {"squeezenet1_0": 48, "shufflenet_v2_x1_0": 32, "resnet18": 32}
SLOW = {
    "alexnet": 64,
    "vgg11_bn": 32,
    "vgg16": 32,
    "resnet34": 32,
    "resnet50": 32,
    "wide_resnet50_2": 32,
    "resnext50_32x4d": 32,
    "densenet121": 32,
    "mobilenet_v2": 32,
    "mnasnet1_0": 32,
    "regnet_x_400mf": 32,
    "mobilenet_v3_small": 32,
    "efficientnet_b0": 32,
    "efficientnet_v2_s": 32,
    "convnext_tiny": 64,
    "swin_t": 64,
    "swin_v2_t": 64,
}


def agree(model, size):
    model = randomised(model)
    x = torch.randn(2, 3, size, size, generator=torch.Generator().manual_seed(4))
    graph = trace(model, x)
    assert_close(evaluate_torch(graph, x.numpy()), reference(model.eval(), x))
    assert graph.output.shape == (1000,)
    return graph


@pytest.mark.parametrize(("name", "size"), QUICK.items())
def test_quick(name, size):
    agree(getattr(models, name)(weights=None), size)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "size"), SLOW.items())
def test_all(name, size):
    agree(getattr(models, name)(weights=None), size)


@pytest.mark.slow
@pytest.mark.parametrize("transform_input", [False, True])
@pytest.mark.parametrize(("name", "size"), [("googlenet", 64), ("inception_v3", 96)])
def test_inceptions(name, size, transform_input):
    graph = agree(getattr(models, name)(weights=None, init_weights=False, transform_input=transform_input), size)
    assert (kinds(graph)[1] == "Reindex") == transform_input


@pytest.mark.slow
def test_a_vision_transformer():
    agree(models.vit_b_16(weights=None, image_size=64), 64)
