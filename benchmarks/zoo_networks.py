"""Networks of the zoo that torchvision does not have: several outputs, recurrent layers, segmentation, transformers."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn


class ConvSilu(nn.Sequential):
    """Convolution, batch norm and SiLU.

    Args:
        inputs, outputs: channels.
        kernel: size of the kernel.
        stride: stride.
    """

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        conv = nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, bias=False)
        super().__init__(conv, nn.BatchNorm2d(outputs), nn.SiLU())


class Split(nn.Module):
    """Half of the channels pass a residual block of two convolutions, and both halves are joined again."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        half = channels // 2
        self.left, self.right = ConvSilu(channels, half, 1), ConvSilu(channels, half, 1)
        self.block = nn.Sequential(ConvSilu(half, half), ConvSilu(half, half))
        self.joined = ConvSilu(channels, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features of the same shape."""
        right = self.right(x)
        return self.joined(torch.cat([self.left(x), right + self.block(right)], dim=1))


class YoloStyle(nn.Module):
    """A detector after YOLO: four levels, of which the last three exchange features and have a head each.

    A head gives (anchors · (4 + 1 + classes)) values per place, before the decoding of boxes and NMS.

    Args:
        width: channels of the first level.
        outputs: channels of a head.
    """

    def __init__(self, width: int = 16, outputs: int = 3 * (4 + 1 + 20)) -> None:
        super().__init__()
        sizes = [width, 2 * width, 4 * width, 8 * width]
        self.stem = ConvSilu(3, width, 3, 2)
        levels = pairwise(sizes)
        self.levels = nn.ModuleList(nn.Sequential(ConvSilu(a, b, 3, 2), Split(b)) for a, b in levels)
        small, middle, large = sizes[1:]
        self.down_to_middle, self.down_to_small = ConvSilu(large, middle, 1), ConvSilu(middle, small, 1)
        self.middle, self.small = Split(2 * middle), Split(2 * small)
        self.to_middle = ConvSilu(2 * middle, middle, 1)
        self.heads = nn.ModuleList(nn.Conv2d(c, outputs, 1) for c in (2 * small, 2 * middle, large))
        self.grow = nn.Upsample(scale_factor=2, mode="nearest")

    def forward(self, x: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """The three heads, from the finest to the coarsest."""
        x = self.stem(x)
        features = []
        for level in self.levels:
            x = level(x)
            features.append(x)
        small, middle, large = features
        middle = self.middle(torch.cat([middle, self.grow(self.down_to_middle(large))], dim=1))
        small = self.small(torch.cat([small, self.grow(self.down_to_small(self.to_middle(middle)))], dim=1))
        return tuple(head(f) for head, f in zip(self.heads, (small, middle, large), strict=True))


class RowSequence(nn.Module):
    """Rows of an image as the steps of a recurrent layer, whose last state is classified.

    Args:
        kind: LSTM or GRU of torch.
        features: values of a row.
        hidden: size of the state.
    """

    def __init__(self, kind: type[nn.LSTM | nn.GRU], features: int, hidden: int = 64) -> None:
        super().__init__()
        self.layer, self.last = kind(features, hidden, batch_first=True), nn.Linear(hidden, 10)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores of ten classes for images (N, C, H, W)."""
        rows = x.permute(0, 2, 1, 3).flatten(2)
        return self.last(self.layer(rows)[0][:, -1])


class TwoConvolutions(nn.Sequential):
    """Two convolutions with batch norm and ReLU.

    Args:
        inputs, outputs: channels.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        layers: list[nn.Module] = []
        for channels in (inputs, outputs):
            layers += [nn.Conv2d(channels, outputs, 3, padding=1, bias=False), nn.BatchNorm2d(outputs), nn.ReLU()]
        super().__init__(*layers)


class UNet(nn.Module):
    """Segmentation after U-Net (Ronneberger et al. 2015, arXiv 1505.04597), with bilinear upsampling.

    Args:
        width: channels of the first of four levels.
        classes: scores per pixel.
    """

    def __init__(self, width: int = 16, classes: int = 8) -> None:
        super().__init__()
        sizes = [3, width, 2 * width, 4 * width, 8 * width]
        self.down = nn.ModuleList(TwoConvolutions(a, b) for a, b in pairwise(sizes))
        self.up = nn.ModuleList(TwoConvolutions(a + b, a) for a, b in pairwise(sizes[1:]))
        self.pool, self.grow = nn.MaxPool2d(2), nn.Upsample(scale_factor=2, mode="bilinear")
        self.last = nn.Conv2d(width, classes, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (N, classes, H, W)."""
        features = [self.down[0](x)]
        for level in self.down[1:]:
            features.append(level(self.pool(features[-1])))
        x = features.pop()
        for before, level in zip(reversed(features), reversed(self.up), strict=True):
            x = level(torch.cat([before, self.grow(x)], dim=1))
        return self.last(x)


class Encoder(nn.Module):
    """Encoder after BERT (Devlin et al. 2019, arXiv 1810.04805), from the layers of torch; its input are embeddings.

    Args:
        width: features of a token.
        heads: heads of attention.
        blocks: number of layers.
        classes: scores of the first token.
    """

    def __init__(self, width: int = 64, heads: int = 4, blocks: int = 3, classes: int = 10) -> None:
        super().__init__()
        layer = nn.TransformerEncoderLayer(width, heads, 4 * width, activation="gelu", batch_first=True)
        self.blocks = nn.TransformerEncoder(layer, blocks, enable_nested_tensor=False)
        self.pooler, self.last = nn.Linear(width, width), nn.Linear(width, classes)
        for weight in self.blocks.parameters():  # the layers begin as copies of one
            if weight.dim() > 1:
                nn.init.xavier_uniform_(weight)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (N, classes) of sequences (N, tokens, width)."""
        return self.last(torch.tanh(self.pooler(self.blocks(x)[:, 0])))


class DecoderBlock(nn.Module):
    """Causal attention and a perceptron, each behind a layer norm and beside a shortcut.

    Args:
        width: features of a token.
        heads: heads of attention.
    """

    def __init__(self, width: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.qkv, self.project = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.perceptron = nn.Sequential(
            nn.Linear(width, 4 * width), nn.GELU(approximate="tanh"), nn.Linear(4 * width, width)
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Features of the same shape."""
        q, k, v = (y.unflatten(-1, (self.heads, -1)).transpose(1, 2) for y in self.qkv(self.norm1(x)).chunk(3, dim=-1))
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.project(y.transpose(1, 2).flatten(2))
        return x + self.perceptron(self.norm2(x))


class Decoder(nn.Module):
    """Decoder after GPT-2: scores of the next token at every place; its input are embeddings.

    Args:
        width: features of a token.
        heads: heads of attention.
        blocks: number of blocks.
        words: scores per token.
    """

    def __init__(self, width: int = 64, heads: int = 4, blocks: int = 3, words: int = 50) -> None:
        super().__init__()
        self.blocks = nn.Sequential(*(DecoderBlock(width, heads) for _ in range(blocks)))
        self.norm, self.last = nn.LayerNorm(width), nn.Linear(width, words, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Scores (N, tokens, words) of sequences (N, tokens, width)."""
        return self.last(self.norm(self.blocks(x)))
