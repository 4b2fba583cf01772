"""Networks whose partition onto Loihi 2 stands in public notebooks, as layers.

Source: stored output of the lava-dl tutorials netx/pilotnet_snn/benchmark.ipynb (PilotNet LIF), pilotnet_sdnn/benchmark
.ipynb (PilotNet SDNN) and yolo_kp/run.ipynb. Layers keep the tables' one row of state per neuron. Widths of weights are
not printed there; they follow from the printed synapse words.
"""

from math import prod

import numpy as np

from loihi_onespike.boards.mapping import Afferent, MappedLayer
from loihi_onespike.core.maps import Conv, Dense, Diagonal, Window


def conv(out, into, kernel, stride=(1, 1), padding=(0, 0)):
    weight = np.broadcast_to(np.int16(2), (out, into, *kernel))
    return Conv(weight, Window(kernel, stride, tuple((p, p) for p in padding), (1, 1)))


def dense(out, into):
    return Dense(np.broadcast_to(np.int16(2), (out, into)))


def chain(source, specs):
    """Layers (shape, map, weight bits) one after another; flattened where a dense layer follows space."""
    layers, pre, pre_shape = [], "input", source
    for number, (shape, op, bits) in enumerate(specs):
        index = np.arange(prod(pre_shape)) if isinstance(op, Dense) and len(pre_shape) > 1 else None
        afferent = Afferent(f"layer{number}", pre, pre_shape, op, index, bits)
        layers.append(MappedLayer(f"layer{number}", shape, 1, (afferent,), number == len(specs) - 1))
        pre, pre_shape = f"layer{number}", shape
    return layers


def mnist():
    return chain((784,), [((128,), dense(128, 784), 8), ((64,), dense(64, 128), 8), ((10,), dense(10, 64), 8)])


def pilotnet(bits, input_layer):
    """9 layers of the network; with the layer that turns the image into spikes in front."""
    shapes = [(24, 32, 99), (36, 15, 49), (48, 7, 24), (64, 4, 22), (64, 2, 20), (100,), (50,), (10,), (1,)]
    maps = [
        conv(24, 3, (3, 3), (2, 2)),
        conv(36, 24, (3, 3), (2, 2)),
        conv(48, 36, (3, 3), (2, 2)),
        conv(64, 48, (3, 3), (2, 1), (1, 0)),
        conv(64, 64, (3, 3)),
        dense(100, 2560),
        dense(50, 100),
        dense(10, 50),
        dense(1, 10),
    ]
    specs = list(zip(shapes, maps, bits, strict=True))
    first = [((3, 66, 200), Diagonal(np.array(2, np.int16)), 2)] if input_layer else []
    return chain((3, 66, 200), first + specs)


PILOTNET_LIF = pilotnet([6, 6, 6, 4, 4, 3, 4, 6, 8], True)
PILOTNET_SDNN = pilotnet([6, 6, 6, 5, 4, 4, 6, 6, 8], False)
# (synapse words, cores) of the printed rows, first layer first
LIF_ROWS = [(0, 13), (81, 25), (864, 13), (1620, 3), (2160, 3), (2880, 2), (7253, 12), (1300, 1), (150, 1), (10, 1)]
SDNN_ROWS = [(81, 25), (864, 13), (1620, 3), (2592, 3), (2880, 2), (7253, 12), (1500, 1), (150, 1), (10, 1)]

_TWO, _ONE = (3, 3), (1, 1)
YOLO_KP = chain(
    (3, 448, 448),
    [
        ((16, 224, 224), conv(16, 3, _TWO, (2, 2), _ONE), 5),
        ((32, 112, 112), conv(32, 16, _TWO, (2, 2), _ONE), 6),
        ((64, 56, 56), conv(64, 32, _TWO, (2, 2), _ONE), 5),
        ((128, 28, 28), conv(128, 64, _TWO, (2, 2), _ONE), 5),
        ((256, 28, 28), conv(256, 128, _TWO, _ONE, _ONE), 5),
        ((256, 14, 14), conv(256, 256, _TWO, (2, 2), _ONE), 4),
        ((512, 14, 14), conv(512, 256, _TWO, _ONE, _ONE), 5),
        ((256, 14, 14), conv(256, 512, _ONE), 5),
        ((512, 14, 14), conv(512, 256, _TWO, _ONE, _ONE), 5),
        ((48, 14, 14), conv(48, 512, _ONE), 7),
    ],
)
# per cent of neuron state, synapses, AxonMap and the sum on a core; cores; block of the printed rows as (W, H, C)
YOLO_ROWS = [
    (87.52, 0.34, 1.40, 19.88, 224, (8, 28, 16)),
    (87.52, 3.60, 0.70, 21.65, 112, (8, 14, 32)),
    (87.52, 10.80, 0.35, 26.99, 56, (4, 14, 64)),
    (87.52, 39.60, 0.17, 50.03, 28, (4, 7, 128)),
    (87.52, 79.20, 0.17, 81.57, 56, (4, 7, 128)),
    (87.52, 72.00, 0.35, 78.05, 16, (8, 7, 64)),
    (87.52, 86.40, 0.35, 87.61, 32, (8, 7, 64)),
    (87.52, 67.20, 0.09, 72.04, 14, (2, 7, 256)),
    (87.52, 86.40, 0.35, 87.47, 32, (8, 7, 64)),
    (65.64, 19.20, 16.80, 42.26, 4, (4, 14, 48)),
]
