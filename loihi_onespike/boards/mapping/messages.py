"""Messages of spikes with payload on a board: whether its chip carries them, and what a user should know."""

from __future__ import annotations

from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.core.graphs.network import Network, Population, Readout
from loihi_onespike.errors import DeploymentError
from loihi_onespike.executors.lava.stock_forms import wraps_in_conv

WITH_PAYLOAD = "kapoho_point"
"""Board that the error names: Loihi 2 has graded spikes."""


def check_messages(network: Network, board: Board) -> None:
    """Refuse a network with payload where the chip does not carry its messages.

    Args:
        network: The network.
        board: The board.

    Raises:
        DeploymentError: a code with payload, and fewer bits in a spike than its messages have; where the width is not
            public, nothing is refused.
    """
    limit = board.chip.neuron.payload_bits.value
    for population in network.populations:
        if isinstance(population, Readout) or not population.code.payload_bits or limit is None:
            continue
        if population.message_bits > limit:
            raise DeploymentError(
                f"{population.name}: spikes must have messages of at most {limit} bits on {board.name} "
                f"({board.chip.name}), got {population.message_bits}; convert with payload_bits=0, or take a board "
                f"with graded spikes, such as {WITH_PAYLOAD}"
            )


def message_notes(network: Network, board: Board) -> tuple[str, ...]:
    """What a mapping says of messages; nothing for networks without payload.

    Args:
        network: The network.
        board: The board.
    """
    graded = [p for p in network.populations if not isinstance(p, Readout) and p.code.payload_bits]
    if not graded:
        return ()
    limit, widest = board.chip.neuron.payload_bits, max(p.message_bits for p in graded)
    hidden = sum(isinstance(p, Population) for p in graded)
    return (
        *(_lists(network) if board.chip.accounting.kernels else ()),
        f"spikes of {hidden} of {len(network.hidden)} populations carry messages of up to {widest} bits, sign "
        f"included; {board.chip.name} has {limit} bits [{limit.status}: {limit.source}]. Whether a wider message takes "
        "more words of an axon is not public: the words are those of spikes without message",
    )


def _lists(network: Network) -> tuple[str, ...]:
    """Names the layers whose kernel becomes lists of targets because of large messages."""
    found = []
    for synapse in network.synapses:
        pre = network.by_name[synapse.pre]
        if not isinstance(pre, Readout) and wraps_in_conv(synapse, pre):
            found.append(synapse.post)
    if not found:
        return ()
    return (
        f"{', '.join(dict.fromkeys(found))}: stored as lists of targets and not as a kernel, which takes more cores, "
        "because messages times weights can add up to more than the 24 bits of Lava's convolution in a step; fewer "
        "bits of payload give smaller messages",
    )
