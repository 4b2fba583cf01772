"""Small networks and data that are diagnosed, and changes of single populations."""

from dataclasses import replace
from typing import Any

import numpy as np
from torch import nn

from loihi_onespike.api import OneSpikeNetwork
from loihi_onespike.conversion.quantization.quantize import quantize
from loihi_onespike.core.encoding import encode_values
from loihi_onespike.core.graphs.network import Population
from tests.support import models

PAPER: dict[str, Any] = {"method": "paper"}


def mlp():
    layers = nn.Sequential(nn.Linear(12, 24), nn.ReLU(), nn.Linear(24, 20), nn.ReLU(), nn.Linear(20, 5))
    return models.prepared(layers, 3)


def data(shape=(12,), n=48, seed=0):
    x = np.random.default_rng(seed).random((n, *shape)).astype(np.float32)
    return np.rint(x * 255) / np.float32(255)


def changed(net, name, **fields):
    """The network with another population of that name."""
    populations = tuple(replace(p, **fields) if p.name == name else p for p in net.network.populations)
    return OneSpikeNetwork(replace(net.network, populations=populations), None, net.model)


def names(net):
    return [p.name for p in net.network.hidden]


def scaled_by_images(net, name, factor, x):
    """The network with λ of a population times a factor, quantized with head-room for the images `x`."""
    population = net.network.by_name[name]
    stages = net.stages
    plan = stages.plans[name]
    plan = replace(plan, scale=plan.scale * factor, threshold=plan.threshold * factor)
    stages = replace(stages, plans={**stages.plans, name: plan})
    assert isinstance(population, Population)
    network = quantize(stages, encode_values(stages.input_plan, np.asarray(x)), 8)
    return OneSpikeNetwork(replace(network, facts=net.network.facts), stages, net.model)
