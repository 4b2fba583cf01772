"""Break-even between SNN and ANN in two accountings: the paper's arithmetic, and the whole board."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from loihi_onespike.boards.energy.account import EnergyAccount, Work
from loihi_onespike.boards.energy.figures import energy_text
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.evaluation.alpha import (
    FP32,
    INT8,
    ArithmeticCounts,
    ArithmeticEnergy,
    additions_per_spike,
    operations,
)

PJ_PER_NJ = 1e3


@dataclass(frozen=True)
class PaperBalance:
    """The paper's accounting (Eq. 6): additions of the SNN against multiply-accumulates of the ANN.

        α = E_MAC · MACs / (E_add · additions + E_MAC · multiplications);  α = 1 at additions / MACs = E_MAC / E_add

    Attributes:
        operations: Multiply-accumulates of the ANN, and additions and multiplications of the network, per image,
            without additions of weights of 0.
        additions_per_spike: Additions that a spike counts as at most; above 1 with payload only.
        every: The same operations with an addition for every weight, as the paper counts; None where no weight is 0.
    """

    operations: ArithmeticCounts
    additions_per_spike: int = 1
    every: ArithmeticCounts | None = None

    @classmethod
    def of(
        cls, network: Network, spikes_per_neuron: Mapping[str, float], made: Mapping[str, float]
    ) -> PaperBalance | None:
        """The balance of a network.

        Args:
            network: The network, whose facts state the MACs of its ANN.
            spikes_per_neuron: Mean spikes per neuron and image of every population.
            made: Share of the synaptic operations of each group whose weight is not 0.

        Returns:
            The balance; None for a network whose facts do not state the MACs.
        """
        counted, every = (operations(network, spikes_per_neuron, shares) for shares in (made, None))
        if counted is None:
            return None
        return cls(counted, additions_per_spike(network), None if every == counted else every)

    @property
    def macs(self) -> float:
        """Multiply-accumulates of the ANN per image."""
        return self.operations.macs

    @property
    def additions_per_mac(self) -> float:
        """Additions of the SNN per multiply-accumulate of the ANN."""
        return self.operations.additions / self.macs if self.macs else 0.0

    def alpha(self, energy: ArithmeticEnergy) -> float:
        """α of Eq. 6 with these energies per operation; infinite when nothing spikes."""
        return self.operations.alpha(energy)

    def alpha_all(self, energy: ArithmeticEnergy) -> float:
        """The same with an addition for every weight."""
        return (self.every or self.operations).alpha(energy)

    def sentence(self) -> str:
        """One sentence that says above which spike rate the SNN loses."""
        fp32, int8 = FP32.mac_pj / FP32.add_pj, INT8.mac_pj / INT8.add_pj
        loses = [name for name, energy in (("FP32", FP32), ("INT8", INT8)) if self.alpha(energy) <= 1]
        verdict = f"so it loses in {' and '.join(loses)}" if loses else "so it wins in both"
        most = self.additions_per_spike
        priced = f" A spike with payload counts as {most} additions, an upper bound." if most > 1 else ""
        products = self.operations.multiplications
        if products:
            priced += f" Its {products:,.0f} products of activations cost a multiplication of the ANN each."
        alphas = f"α {self.alpha(FP32):.2f} and {self.alpha(INT8):.2f}"
        if self.every is not None:
            alphas += f"; {self.alpha_all(FP32):.2f} and {self.alpha_all(INT8):.2f} with additions of weights of 0"
        return (
            f"By the paper's accounting the SNN loses above {fp32:.2f} (FP32) or {int8:.2f} (INT8) additions per "
            f"multiplication of the ANN; here it makes {self.additions_per_mac:.2f}, {verdict} ({alphas}).{priced} "
            "Memory, neuron updates and static power do not enter."
        )


@dataclass(frozen=True)
class BoardBalance:
    """The full accounting of a board against the bare arithmetic of the ANN in 45 nm CMOS, per image.

    Attributes:
        ann_nj: Energy of the ANN's MACs in nJ, without any memory access: a lower bound for any accelerator.
        precision: Number format of these MACs, FP32 or INT8.
        account: Account of the board, with its least static power.
        work: ArithmeticCounts of one image.
    """

    ann_nj: float
    precision: str
    account: EnergyAccount
    work: Work

    @property
    def fixed_nj(self) -> float | None:
        """Energy in nJ that does not depend on spikes: neuron updates in every step, and static power."""
        updates, static = self.account.updates.value, self.account.static_low.value
        return None if updates is None or static is None else updates + static

    @property
    def break_even_operations(self) -> float | None:
        """Synaptic operations per image, with their spikes and hops, at which SNN and ANN cost the same.

            operations = (E_ANN - E_fixed) / E_operation

        0 when the fixed part alone costs more than the ANN; None when the energies of the board are unknown.
        """
        synaptic, fixed = self.account.synaptic.value, self.fixed_nj
        if synaptic is None or fixed is None or not self.work.synaptic_operations:
            return None
        per_operation = (synaptic + (self.account.hops.value or 0.0)) / self.work.synaptic_operations
        return max((self.ann_nj - fixed) / per_operation, 0.0)

    def sentence(self) -> str:
        """One sentence that says above which number of synaptic operations the SNN loses."""
        limit, fixed = self.break_even_operations, self.fixed_nj
        if limit is None or fixed is None:
            return "By the full accounting nothing can be said: the energies of this chip are not public."
        ann = f"the bare {self.precision} arithmetic of the ANN at 45 nm ({energy_text(self.ann_nj)} per image)"
        of_table = f" ({self.account.table})" if self.account.estimated else ""
        shares = self.account.static_share
        static = "" if shares is None else f" Static power is at least {100 * shares[0]:.0f} % of it."
        spent = f"here it takes {energy_text(self.account.low.value or 0.0)}.{static}"
        if limit == 0.0:
            return (
                f"By the full accounting{of_table} the SNN loses against {ann} at any spike rate: neuron updates in "
                f"every step and static power alone take {energy_text(fixed)}; {spent}"
            )
        now = self.work.synaptic_operations
        return (
            f"By the full accounting{of_table} the SNN loses against {ann} above {limit:,.0f} synaptic operations per "
            f"image; it makes {now:,.0f}, so it {'loses' if now > limit else 'wins'}; {spent}"
        )


def board_balances(macs: float, account: EnergyAccount, work: Work) -> tuple[BoardBalance, ...]:
    """Balances against FP32 and INT8 arithmetic.

    Args:
        macs: Multiply-accumulates of the ANN per image.
        account: Account of the board.
        work: ArithmeticCounts of one image.
    """
    kinds = (("FP32", FP32), ("INT8", INT8))
    return tuple(BoardBalance(macs * e.mac_pj / PJ_PER_NJ, name, account, work) for name, e in kinds)
