"""A converted network between a source and a sink of your own, as one Lava program.

    python examples/lava_own_process.py                       converts the shipped digits first, then runs 3 of them
    python examples/lava_own_process.py net.h5 images.npz     your network (NetX) and inputs (array x) for it

`Camera` sends pictures bit by bit, `Network` is the NetX file as a process, and `Decisions` keeps the potential of the
readout when a picture is finished. Needs Lava, and therefore Python 3.10.
"""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from loihi_onespike.executors.lava.netx import Network  # before Lava itself

# isort: split
from lava.magma.core.decorator import implements, requires
from lava.magma.core.model.py.model import PyLoihiProcessModel
from lava.magma.core.model.py.ports import PyInPort, PyOutPort
from lava.magma.core.model.py.type import LavaPyType
from lava.magma.core.process.ports.ports import InPort, OutPort
from lava.magma.core.process.process import AbstractProcess
from lava.magma.core.process.variable import Var
from lava.magma.core.resources import CPU
from lava.magma.core.run_conditions import RunSteps
from lava.magma.core.run_configs import Loihi2SimCfg
from lava.magma.core.sync.protocols.loihi_protocol import LoihiProtocol

import netx_export
from loihi_onespike.core.encoding import decode_readout, encode_input


class Camera(AbstractProcess):
    """Sends the bits of integer pictures (N, *shape), the highest bit first, a picture every `period` steps."""

    def __init__(self, pictures: NDArray[np.int32], bits: int, period: int) -> None:
        super().__init__(pictures=pictures)
        self.out = OutPort(shape=pictures.shape[1:])
        self.pictures = Var(shape=pictures.shape, init=pictures)
        self.bits = Var(shape=(1,), init=bits)
        self.period = Var(shape=(1,), init=period)


@implements(proc=Camera, protocol=LoihiProtocol)
@requires(CPU)
class CameraModel(PyLoihiProcessModel):
    """In step t of its window, a picture sends bit (bits - t) of every value."""

    out: PyOutPort = LavaPyType(PyOutPort.VEC_DENSE, np.int8, precision=8)
    pictures: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)
    bits: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)
    period: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)

    def run_spk(self) -> None:
        """Send the spikes of this time step; time steps count from 1."""
        picture, t = divmod(self.time_step - 1, int(self.period[0]))
        shift = int(self.bits[0]) - 1 - t
        if picture < len(self.pictures) and shift >= 0:
            self.out.send((self.pictures[picture] >> shift & 1).astype(np.int8))
        else:
            self.out.send(np.zeros(self.pictures.shape[1:], np.int8))


class Decisions(AbstractProcess):
    """Keeps the potential of the readout, (N, *shape), at the steps in which a picture is finished."""

    def __init__(self, pictures: int, shape: tuple[int, ...], latency: int, period: int) -> None:
        super().__init__(pictures=pictures)
        self.inp = InPort(shape=shape)
        self.v = Var(shape=(pictures, *shape), init=0)
        self.latency = Var(shape=(1,), init=latency)
        self.period = Var(shape=(1,), init=period)


@implements(proc=Decisions, protocol=LoihiProtocol)
@requires(CPU)
class DecisionsModel(PyLoihiProcessModel):
    """What the network sends in step s arrives here in the same step."""

    inp: PyInPort = LavaPyType(PyInPort.VEC_DENSE, np.int32, precision=24)
    v: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)
    latency: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)
    period: NDArray[np.int32] = LavaPyType(np.ndarray, np.int32)

    def run_spk(self) -> None:
        """Note the potential if a picture is finished now."""
        v = self.inp.recv()
        picture, rest = divmod(self.time_step - int(self.latency[0]), int(self.period[0]))
        if rest == 0 and 0 <= picture < len(self.v):
            self.v[picture] = v


def run(file: str | Path, x: NDArray[np.floating]) -> NDArray[np.float64]:
    """Outputs of the network for inputs (N, *shape), in the units of the ANN.

    Raises:
        SystemExit: the input of the network is not binary coded.
    """
    network = netx_export.read(file)
    bits = network.input.code.input_bits
    if bits is None:
        raise SystemExit(f"{file}: the camera sends binary coded input; convert with --input-code binary")
    codes: Any = encode_input(network.input, np.asarray(x, np.float64))

    camera = Camera(codes.astype(np.int32), bits, network.period_steps)
    net = Network(network)
    decisions = Decisions(len(codes), network.readout.shape, network.latency_steps, network.period_steps)
    camera.out.connect(net.inp)
    net.out.connect(decisions.inp)
    net.run(RunSteps(network.steps(len(codes))), Loihi2SimCfg(select_tag="fixed_pt", select_sub_proc_model=True))
    v = decisions.v.get()
    net.stop()
    return decode_readout(network.readout, v.astype(np.int64))


def main(arguments: list[str]) -> None:
    """Run a network and print a class per picture."""
    if arguments:
        file, pictures = Path(arguments[0]), np.load(arguments[1])["x"]
    else:
        import loihi_onespike as los
        from loihi_onespike.data import load_data
        from loihi_onespike.models import load_model

        data = load_data("digits", calibration_images=128)
        file = los.convert(load_model("digits").model, data.calibration, timesteps=8).save("digits.h5")
        pictures = np.asarray(data.images)[:3]
        print("labels     ", *data.labels[:3])
    print("one-spike  ", *run(file, pictures).argmax(-1))


if __name__ == "__main__":
    if "--help" in sys.argv or "-h" in sys.argv:
        print(__doc__)
    else:
        main(sys.argv[1:])
