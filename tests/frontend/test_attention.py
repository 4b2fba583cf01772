"""Softmax, matrix products of activations, attention and transformers: the graph computes what the model does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

import loihi_onespike as los
from loihi_onespike.core.activations import Exp
from loihi_onespike.core.graphs.ann import Activate, AnnGraph, Finish, Linear, Multiply
from loihi_onespike.errors import UnsupportedModelError
from loihi_onespike.frontend import trace
from tests.frontend.models import Fn, assert_close, check, kinds, reference
from tests.support.ann_eval import evaluate_torch

TOKENS, HEADS = (2, 5, 16), (2, 3, 5, 16)
CAUSAL = torch.full((5, 5), float("-inf")).triu(1)
PADDED = torch.tensor([False, False, False, True, True])
BIAS = torch.randn(3, 5, 5, generator=torch.Generator().manual_seed(3))


def checked(f: Callable[..., Any] | nn.Module, shape: tuple[int, ...] = TOKENS, **layers: nn.Module) -> AnnGraph:
    return check(f if isinstance(f, nn.Module) else Fn(f, **layers), torch.randn(shape))


def number(graph: AnnGraph, kind: type) -> int:
    return sum(isinstance(node.op, kind) for node in graph.nodes)


SOFTMAXES: dict[str, Callable[..., Any]] = {
    "inside": lambda m, x: F.softmax(x, -1) + x,
    "channels": lambda m, x: x.softmax(1) * 2,
    "middle_axis": lambda m, x: torch.softmax(x.reshape(-1, 5, 4, 4), 2) * 2,
    "read_through_a_gather": lambda m, x: F.softmax(x, -1)[:, :, :4].transpose(1, 2) + 1,
    "sequence_first": lambda m, x: (x.transpose(0, 1).softmax(-1) * 3).transpose(0, 1),
    "masked": lambda m, x: x.masked_fill(torch.eye(5, 16) > 0, -torch.inf).softmax(-1),
    "masked_and_shifted": lambda m, x: ((x[..., :5] + CAUSAL) * 2 + 0.5).reshape(-1, 25).view(-1, 5, 5).softmax(-1),
    "masked_sum": lambda m, x: (x[..., :5] + CAUSAL + x[..., 5:10]).softmax(-1),
    "masked_in_part": lambda m, x: torch.where(torch.eye(16) > 0, -torch.inf, x.unsqueeze(2)).softmax(-1).mean(1),
    "masked_by_large_numbers": lambda m, x: (x[..., :5] + CAUSAL.clamp(min=-1e9)).softmax(-1),
}


@pytest.mark.parametrize("f", SOFTMAXES.values(), ids=SOFTMAXES.keys())
def test_softmax_by_neurons(f: Callable[..., Any]) -> None:
    assert number(checked(f), Finish) == 0


def test_the_host_computes_a_softmax_that_is_an_output_and_neurons_what_is_read() -> None:
    assert kinds(checked(lambda m, x: F.softmax(x, -1))) == ["Input", "Finish"]
    graph = checked(lambda m, x: F.softmax(m.fc(F.softmax(x, -1)), -1), fc=nn.Linear(16, 4))
    assert kinds(graph).count("Finish") == 1 and number(graph, Multiply) == 1


def test_masked_places_have_no_neurons() -> None:
    """15 of the 25 pairs of a causal mask are left; products, too, are those of the pairs."""
    graph = checked(lambda m, x: (x @ x.transpose(1, 2) / 4 + CAUSAL).softmax(-1) @ x)
    assert [node.shape for node in graph.nodes if isinstance(node.op, Activate) and node.op.function == Exp()] == [
        (1, 15)
    ]
    assert next(node.shape for node in graph.nodes if isinstance(node.op, Multiply)) == (1, 15, 16)


PRODUCTS: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "matmul": (lambda m, x: x @ x.transpose(1, 2), TOKENS),
    "bmm": (lambda m, x: torch.bmm(x[..., :5], x), TOKENS),
    "bmm_of_folded_heads": (
        lambda m, x: torch.bmm(x.reshape(-1, 5, 16), x.reshape(-1, 5, 16).mT).view(-1, 3, 5, 5),
        HEADS,
    ),
    "baddbmm": (lambda m, x: torch.baddbmm(torch.ones(5), x[..., :5], x[..., 5:10], beta=2, alpha=0.5), TOKENS),
    "baddbmm_of_three": (lambda m, x: torch.baddbmm(x[..., :5], x[..., :5], x[..., 5:10]), TOKENS),
    "broadcast": (lambda m, x: x[:, :1] @ x.mT, HEADS),
    "outer": (lambda m, x: x[..., :1] @ x[..., :1].mT, TOKENS),
    "einsum": (lambda m, x: torch.einsum("bhid,bhjd->bhij", x, x), HEADS),
    "einsum_turned": (lambda m, x: torch.einsum("bhid,bhjd->bjhi", x, x), HEADS),
    "einsum_of_two_sums": (lambda m, x: torch.einsum("bhid,bhjd->bij", x, x), HEADS),
    "einsum_without_sum": (lambda m, x: torch.einsum("bi,bj->bij", x[:, 0], x[:, 1]), TOKENS),
    "einsum_dots": (lambda m, x: torch.einsum("...id,...jd->...ij", x, x[..., :2, :]), HEADS),
    "einsum_implicit": (lambda m, x: torch.einsum("...ij,...jk", x[..., :5], x), TOKENS),
}


@pytest.mark.parametrize(("f", "shape"), PRODUCTS.values(), ids=PRODUCTS.keys())
def test_matrix_products_of_two_activations(f: Callable[..., Any], shape: tuple[int, ...]) -> None:
    graph = checked(f, shape)
    assert number(graph, Multiply) == 1
    assert number(graph, Linear) == (f is not PRODUCTS["einsum_without_sum"][0])


def test_macs_of_a_matrix_product_are_those_of_the_model() -> None:
    graph = checked(lambda m, x: x @ x.transpose(1, 2))
    assert [node.op.macs for node in graph.nodes if isinstance(node.op, Linear)] == [5 * 5 * 16]


def sdpa(x: Any, **options: Any) -> Any:
    q, k, v = x.split([4, 4, 8], -1)
    return F.scaled_dot_product_attention(q, k, v, **options)


ATTENTION: dict[str, tuple[Callable[..., Any], tuple[int, ...]]] = {
    "plain": (lambda m, x: sdpa(x), HEADS),
    "one_head": (lambda m, x: sdpa(x, scale=0.3), TOKENS),
    "causal": (lambda m, x: sdpa(x, is_causal=True), HEADS),
    "bias_per_head": (lambda m, x: sdpa(x, attn_mask=BIAS), HEADS),
    "additive_causal": (lambda m, x: sdpa(x, attn_mask=CAUSAL + BIAS), HEADS),
    "mask_of_truth": (lambda m, x: sdpa(x, attn_mask=CAUSAL == 0), HEADS),
    "mask_per_head": (lambda m, x: sdpa(x, attn_mask=(BIAS > 0) | (CAUSAL == 0)), HEADS),
    "computed_bias": (lambda m, x: sdpa(x, attn_mask=x[..., :5]), HEADS),
    "cross": (lambda m, x: F.scaled_dot_product_attention(x[:, :, :2], x.flip(2), x), HEADS),
}


@pytest.mark.parametrize(("f", "shape"), ATTENTION.values(), ids=ATTENTION.keys())
def test_scaled_dot_product_attention(f: Callable[..., Any], shape: tuple[int, ...]) -> None:
    assert number(checked(f, shape), Multiply) == 3


def test_the_normalisation_stands_behind_the_second_product() -> None:
    shapes = [node.shape for node in checked(lambda m, x: sdpa(x), HEADS).nodes if isinstance(node.op, Multiply)]
    assert shapes == [(3, 5, 5, 4), (3, 5, 8, 5), (3, 5, 8)]


LAYERS: dict[str, tuple[Callable[..., Any], dict[str, Any]]] = {
    "self": (lambda m, x: m.a(x, x, x)[0], {}),
    "without_bias": (lambda m, x: m.a(x, x, x, need_weights=False)[0], {"bias": False}),
    "cross": (lambda m, x: m.a(x[:, :2], x[..., :8], x[..., 8:])[0], {"kdim": 8, "vdim": 8}),
    "two_inputs": (lambda m, x: m.a(x, x.flip(1), x.flip(1))[0], {}),
    "causal": (lambda m, x: m.a(x, x, x, attn_mask=CAUSAL, is_causal=True)[0], {}),
    "mask_of_truth": (lambda m, x: m.a(x, x, x, attn_mask=CAUSAL < 0)[0], {}),
    "padding": (lambda m, x: m.a(x, x, x, PADDED.expand(len(x), -1))[0], {}),
    "padding_and_causal": (lambda m, x: m.a(x, x, x, -50.0 * PADDED.expand(len(x), -1), attn_mask=CAUSAL)[0], {}),
    "sequence_first": (lambda m, x: m.a(*(x.transpose(0, 1),) * 3)[0].transpose(0, 1), {"batch_first": False}),
}


@pytest.mark.parametrize(("f", "options"), LAYERS.values(), ids=LAYERS.keys())
def test_multihead_attention(f: Callable[..., Any], options: dict[str, Any]) -> None:
    layer = nn.MultiheadAttention(16, 4, **{"batch_first": True, **options})
    if layer.out_proj.bias is not None:
        nn.init.normal_(layer.out_proj.bias)
    checked(f, a=layer)


class Transformer(nn.Module):
    """Encoder or decoder of torch, over tokens in front or behind the batch."""

    def __init__(self, batch_first: bool = True, decoder: bool = False, layers: int = 1, **options: Any) -> None:
        super().__init__()
        kind = nn.TransformerDecoderLayer if decoder else nn.TransformerEncoderLayer
        layer: Any = kind(16, 2, 24, batch_first=batch_first, **options)
        encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False) if layers > 1 else layer
        self.inner, self.batch_first, self.decoder = encoder, batch_first, decoder

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x if self.batch_first else x.transpose(0, 1)
        if self.decoder:
            y = self.inner(x[:, :3], x, tgt_mask=CAUSAL[:3, :3])
        else:
            y = self.inner(x, CAUSAL) if self.inner.training else self.inner(x)
        return y if self.batch_first else y.transpose(0, 1)


@pytest.mark.parametrize("norm_first", [False, True])
@pytest.mark.parametrize(
    "options", [{}, {"batch_first": False}, {"activation": "gelu", "layers": 2}, {"decoder": True}]
)
def test_transformers_of_torch(norm_first: bool, options: dict[str, Any]) -> None:
    checked(Transformer(norm_first=norm_first, **options))


class CausalEncoder(nn.Module):
    """Language model of torch's encoder, with a causal mask and the settings that torch gives it."""

    def __init__(self) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 1), nn.Linear(16, 4)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mask = nn.Transformer.generate_square_subsequent_mask(x.shape[1])
        return self.head(self.encoder(x, mask=mask, is_causal=True))


def test_a_causal_encoder_whose_fast_path_is_on() -> None:
    checked(CausalEncoder())


def test_encoder_and_decoder_of_one_input() -> None:
    model = nn.Transformer(16, 2, 1, 1, 24, batch_first=True)
    checked(lambda m, x: m.transformer(x, x[:, :3]), transformer=model)


def test_padded_keys_have_no_neurons() -> None:
    layer = nn.MultiheadAttention(16, 4, batch_first=True)
    graph = checked(lambda m, x: m.a(x, x, x, PADDED.expand(len(x), -1))[0], a=layer)
    assert (4, 5, 3) in [node.shape for node in graph.nodes if isinstance(node.op, Activate)]


class Padded(nn.Module):
    """Encoder of torch whose mask of padding is an input, or the same for all samples."""

    def __init__(self, classes: int = 4) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True)
        self.encoder, self.head = nn.TransformerEncoder(layer, 1), nn.Linear(16, classes)

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        return self.head(self.encoder(x, src_key_padding_mask=mask)[:, 0])


def test_an_encoder_with_padding_that_is_constant() -> None:
    """Torch's fused kernel, which its encoder would take for such a mask in eval mode, is left aside."""
    model = Padded()
    checked(lambda m, x: m.inner(x, PADDED.expand(len(x), -1)), inner=model)
    assert torch.backends.mha.get_fastpath_enabled()


def test_a_mask_of_padding_that_the_network_computes_is_refused_with_a_remedy() -> None:
    remedy = "an input of numbers that are added to the scores, 0 for what counts, -50 for the rest"
    with pytest.raises(UnsupportedModelError, match=remedy):
        trace(Fn(lambda m, x: m.inner(x, x[:, :, 0] > 0), inner=Padded()), torch.randn(TOKENS))


@pytest.mark.thorough
def test_a_mask_of_padding_may_be_an_input_of_numbers() -> None:
    torch.manual_seed(0)
    model, x = Padded().eval(), torch.randn(64, 5, 16)
    mask = torch.where(torch.arange(5) >= torch.randint(1, 6, (64, 1)), -50.0, 0.0)
    net = los.convert(model, (x, mask), timesteps=24, objective="accuracy")
    with torch.no_grad():
        expected, unmasked = model(x, mask < 0).numpy(), model(x, 0 * mask).numpy()
    found = net.predict((x, mask))
    assert 2 * np.linalg.norm(found - expected) < np.linalg.norm(found - unmasked)


class VisionTransformer(nn.Module):
    """Patches, a class token, position embeddings, one layer of attention written as in timm, and a classifier."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 16, 4, 4)
        self.token, self.positions = nn.Parameter(torch.randn(1, 1, 16)), nn.Parameter(torch.randn(1, 5, 16))
        self.norm, self.qkv, self.head = nn.LayerNorm(16), nn.Linear(16, 48), nn.Linear(16, 3)
        self.layer = nn.TransformerEncoderLayer(16, 2, 24, batch_first=True, norm_first=True)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.patches(x).flatten(2).transpose(1, 2)
        n = x.shape[0]
        x = torch.cat([self.token.expand(n, -1, -1), x], 1) + self.positions
        q, k, v = self.qkv(self.norm(x)).reshape(n, 5, 3, 2, 8).permute(2, 0, 3, 1, 4).unbind(0)
        weights = (q * 0.35 @ k.transpose(-2, -1)).softmax(dim=-1)
        x = self.layer(x + (weights @ v).transpose(1, 2).reshape(n, 5, 16))
        return self.head(self.norm(x)[:, 0])


PICTURES = torch.randn(3, 3, 8, 8, generator=torch.Generator().manual_seed(2))


def test_a_small_vision_transformer() -> None:
    check(VisionTransformer(), PICTURES)


@pytest.mark.thorough
def test_a_small_vision_transformer_as_a_program() -> None:
    model = VisionTransformer().eval()
    program = torch.export.export(model, (PICTURES,))
    assert_close(evaluate_torch(trace(program, PICTURES), PICTURES.numpy()), reference(model, PICTURES))


@pytest.mark.thorough
@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_a_small_vision_transformer_as_an_onnx_file(tmp_path: Path) -> None:
    pytest.importorskip("onnx2torch")
    model, path = VisionTransformer().eval(), tmp_path / "vit.onnx"
    torch.onnx.export(model, (PICTURES,), str(path), opset_version=17)
    assert_close(evaluate_torch(trace(path, PICTURES), PICTURES.numpy()), reference(model, PICTURES))


@pytest.mark.filterwarnings("ignore::torch.jit.TracerWarning")
def test_causal_attention_as_an_onnx_file(tmp_path: Path) -> None:
    pytest.importorskip("onnx2torch")
    model, path, x = Fn(lambda m, x: sdpa(x, is_causal=True)), tmp_path / "net.onnx", torch.randn(HEADS)
    torch.onnx.export(model, (x,), str(path), opset_version=17)
    graph = trace(path, x)
    assert_close(evaluate_torch(graph, x.numpy()), reference(model, x))
    assert (3, 15, 4) in [node.shape for node in graph.nodes]


def test_indices_of_matrix_products_are_views() -> None:
    """Repeated indices take the memory of the factor, not of the products."""
    graph = checked(lambda m, x: x @ x.transpose(1, 2))
    factors = [graph.by_name[name].op for node in graph.nodes if isinstance(node.op, Multiply) for name in node.inputs]
    assert [0 in factor.index.strides for factor in factors] == [True, True]  # type: ignore[union-attr]
    assert all(np.shares_memory(f.index[0], f.index[-1]) for f in factors[1:])  # type: ignore[union-attr]
