"""The virtual core: tables whose allocations are recorded in order."""

from __future__ import annotations

from typing import Any

from lava.magma.core.model.nc.tables import Nodes


class _Table:
    def __init__(self, net: NetL2, name: str) -> None:
        self._net, self._name = net, name

    def _record(self, arguments: dict[str, Any]) -> Nodes:
        nodes = Nodes(self._name, arguments)
        self._net.allocated.append(nodes)
        return nodes


class _UcodeTable(_Table):
    def allocate_ucode(self, *, shape: tuple[int, ...], **arguments: Any) -> Nodes:
        return self._record({"shape": shape, **arguments})


class _AxonTable(_Table):
    def allocate(self, *, shape: tuple[int, ...], num_message_bits: int) -> Nodes:
        return self._record({"shape": shape, "num_message_bits": num_message_bits})


class NetL2:
    """Records everything in `allocated`."""

    def __init__(self) -> None:
        self.allocated: list[Nodes] = []
        self.neurons_cfg = _UcodeTable(self, "neurons_cfg")
        self.neurons = _UcodeTable(self, "neurons")
        self.ax_out = _AxonTable(self, "ax_out")
