"""`convert` and `load`, and the `OneSpikeNetwork` that both return."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from importlib import import_module
from pathlib import Path
from typing import Any, TypeAlias, cast

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from loihi_onespike.boards.energy.operation_prices import operation_prices
from loihi_onespike.boards.specification import load_board
from loihi_onespike.boards.specification.spec import Board
from loihi_onespike.conversion.options import ALPHA, ConversionOptions, called_with
from loihi_onespike.conversion.pipeline import Progress, convert_network
from loihi_onespike.conversion.quantization.dequantize import dequantize
from loihi_onespike.core.encoding import dense_codes, encode_input
from loihi_onespike.core.gnn.sparse_sample import SparseSample
from loihi_onespike.core.graphs.input_parts import InputParts, parts_of_inputs
from loihi_onespike.core.graphs.network import Network
from loihi_onespike.core.graphs.output_form import OutputForm, form_of, split
from loihi_onespike.core.graphs.stage import StageGraph
from loihi_onespike.core.operation_prices import OperationPrices
from loihi_onespike.core.trace import Trace
from loihi_onespike.data.checks import check_progress, check_shape, class_labels, float_array
from loihi_onespike.data.dataset import Images
from loihi_onespike.data.loaders import is_loader, joined_inputs, labelled_arrays
from loihi_onespike.data.named_inputs import NamedInputs
from loihi_onespike.errors import ConfigurationError
from loihi_onespike.evaluation.evaluation import Accuracy, Evaluation
from loihi_onespike.evaluation.evaluator import Evaluator, classes_of
from loihi_onespike.evaluation.gnn import evaluate_graph
from loihi_onespike.evaluation.image_counts import Counts
from loihi_onespike.evaluation.input_tally import InputTally
from loihi_onespike.evaluation.metric import Metric, evaluate_metric
from loihi_onespike.executors.batched_runs import in_batches
from loihi_onespike.executors.protocol import Executor, ExecutorOptions, Subject
from loihi_onespike.executors.registry import check_capability, entry_of
from loihi_onespike.frontend import ModelSource, as_module
from loihi_onespike.frontend.ann_output import ann_output, call_model
from loihi_onespike.frontend.gnn.arguments import graph_arguments, is_graph
from loihi_onespike.frontend.gnn.input_form import InputForm
from loihi_onespike.frontend.importers.joined_inputs import joined_inputs_of, with_parts
from loihi_onespike.jobs.distributed import Ranks

Inputs: TypeAlias = ArrayLike | torch.Tensor | tuple[torch.Tensor, ...] | Iterable[object]
"""Inputs as the ANN takes them: a batch, a loader of batches (`data.loaders`), or the arguments of a graph network."""
EVALUATION_BATCH = 250
RELAYING = ("relay", "max_pool")
"""Kinds of populations that pass spikes on at once and therefore have no wait."""


class OneSpikeNetwork:
    """A converted network.

    Attributes:
        network: the integer network, the one thing that is executed, saved and deployed.
        stages: the same network in real numbers with the float weights; after `load`, with dequantized weights.
        model: the ANN it came from; None after `load`.
        device: where `fast` and `float` run, see `to`.
    """

    def __init__(
        self,
        network: Network,
        stages: StageGraph | None = None,
        model: torch.nn.Module | None = None,
        device: str | torch.device = "cpu",
    ) -> None:
        self.network = network
        self._stages = stages
        self.model = model
        self.device = torch.device(device)
        self._executors: dict[str, Executor[Any]] = {}

    def to(self, device: str | torch.device) -> OneSpikeNetwork:
        """The same network with `fast` and `float` on a torch device: "cpu", "cuda", "cuda:1".

        `fast` gives the same integers on every device. Raises ConfigurationError for a device that torch cannot use.
        """
        try:
            torch.zeros(1, device=device)
        except (RuntimeError, AssertionError) as error:
            reason = (str(error) or type(error).__name__).splitlines()[0]
            raise ConfigurationError(
                f"device: must be one that torch can use, got {str(device)!r} ({reason})"
            ) from error
        return OneSpikeNetwork(self.network, self._stages, self.model, device)

    @cached_property
    def stages(self) -> StageGraph:
        """The network in real numbers: the converted stages, or after `load` the dequantized ones."""
        if self._stages is not None:
            return self._stages
        return dequantize(self.network)

    @property
    def latency_steps(self) -> int:
        """Steps from the first input phase to the decision, hops included."""
        return self.network.latency_steps

    @property
    def period_steps(self) -> int:
        """Steps between two images in the pipeline, T + wait."""
        return self.network.period_steps

    def executor(self, name: str) -> Executor[Any]:
        """The executor of that name for this network, made on first use and kept.

        Raises:
            ConfigurationError: there is none of that name, or it does not run a network like this one.
        """
        entry = entry_of(name)
        if name not in self._executors:
            if self.graph is not None:
                check_capability(entry, "graph_networks", "graph networks")
            short = any(p.wait < p.input_steps for p in self.network.hidden if p.kind not in RELAYING)
            check_capability(entry, *(("short_wait", "short waits") if short else ("full_wait", "full waits")))
            self._executors[name] = entry.make(Subject(self.network, lambda: self.stages, str(self.device)))
        return self._executors[name]

    @cached_property
    def outputs(self) -> OutputForm | None:
        """What the model returns around several outputs; None for a network with one output."""
        return form_of(self.network)

    @cached_property
    def inputs(self) -> InputParts | None:
        """Names and shapes of the inputs of a model with several; None for one."""
        return parts_of_inputs(self.network)

    def _structured(self, output: NDArray[np.float64]) -> Any:
        """Outputs (N, values of all) in the structure that the model returns."""
        return output if self.outputs is None else self.outputs.restored(split(self.network, output))

    @cached_property
    def graph(self) -> InputForm | None:
        """How the input of a graph network follows from its arguments; None for all other networks."""
        facts = self.network.facts.get("graph")
        return InputForm.from_facts(facts) if isinstance(facts, Mapping) else None

    def encode(self, x: ArrayLike | torch.Tensor) -> NDArray[np.integer]:
        """Input codes of inputs (N, …) as the ANN takes them."""
        tally = InputTally(self.network)
        values = tally.checked(self.input_values(x))
        tally.warn()
        return dense_codes(encode_input(self.network.input, values), "the array of codes")

    def input_values(self, x: Any) -> Images | SparseSample:
        """Inputs as floats of the shape (N, *input shape); of a graph network, what the host makes of its arguments.

        Several inputs, a tuple in the order of the model's arguments or a mapping by their names, are side by side.

        Raises:
            ConfigurationError: not real numbers, or of another shape.
        """
        values: Any
        if isinstance(x, NamedInputs):
            x = x.of_model("x", () if self.inputs is None else self.inputs.names, ConfigurationError)
        if self.inputs is not None and not (isinstance(x, np.ndarray) and x.shape[1:] == self.network.input.shape):
            given = self.inputs.in_order("x", x)
            named = zip(self.inputs.names, given, strict=True)
            values = self.inputs.joined("x", [np.asarray(float_array(f"x[{n!r}]", v)) for n, v in named])
        elif self.graph is None:
            values = joined_inputs("x", x) if is_loader(x) else float_array("x", x)
        else:
            values = self.graph.values(self.graph.arguments(x))
        check_shape("x" if self.graph is None else "features", tuple(values.shape), self.network.input.shape)
        return values

    def _inputs(self, executor: str, values: Images | SparseSample, tally: InputTally) -> Any:
        """Inputs as an executor takes them: codes, or the inputs of the ANN for one with real numbers."""
        capabilities = entry_of(executor).capabilities
        checked: Any = tally.checked(values)
        given = encode_input(self.network.input, checked) if capabilities.exact else checked
        return given if capabilities.sparse_input else dense_codes(given, f"the executor {executor!r}")

    def predict(self, x: Inputs, executor: str = "fast", memory_budget: int | None = None, **options: object) -> Any:
        """Outputs (N, …) in the units of the ANN's own output; (nodes, …) of a graph network.

        A model that returns several tensors in tuples, lists and dicts has its outputs in the same structure. Outputs
        are analog, so that the host can go on with what follows them, as the decoding of boxes and NMS.

        Args:
            x: inputs as the ANN takes them; several as a tuple, or as a mapping by the names of its arguments; of a
                graph network its arguments (a tuple of several).
            executor: "fast" (exact integers, vectorised), "reference" (the oracle), "microcode" (the neuron programs
                for Loihi 2), "lava" (Lava's simulator, integers) or "float" (real arithmetic, full wait).
            memory_budget: the option of "fast": bytes that it may take beside weights and inputs; it cuts the batch
                into parts.
            options: options of the executor, see its options class.

        Raises:
            ConfigurationError: an executor or an option that does not exist or is out of range, a single image that
                does not fit into the budget, or inputs of another shape, that are no real numbers or not finite.

        Warns:
            InputRangeWarning: inputs lie far outside the range of the calibration and are clipped to it.
        """
        running, chosen = self.executor(executor), _options(executor, memory_budget, options)
        values, tally = self.input_values(x), InputTally(self.network)

        def run(part: Any) -> NDArray[np.float64]:
            return running.predict(self._inputs(executor, part, tally), chosen)

        if self.graph is not None:  # one sample
            output: NDArray[np.float64] = run(values)[0]
        else:
            images = running.images_per_run(chosen)
            output = run(values) if images is None else in_batches(run, values, images)
        tally.warn()
        return self._structured(output)

    def trace(self, x: Inputs, executor: str = "fast", **options: object) -> Trace:
        """Code words and v of every layer; a graph is a batch of one sample of shape (nodes, features).

        Args:
            x: inputs as of `predict`.
            executor: as of `predict`.
            options: options of the executor; "lava" takes stream, timeout_s, progress, precision, synapses and
                processes.

        Raises:
            ConfigurationError: as `predict`.
            LavaError: Lava cannot run, or a run on it failed.
        """
        running, chosen = self.executor(executor), _options(executor, None, options)
        tally = InputTally(self.network)
        trace = running.trace(self._inputs(executor, self.input_values(x), tally), chosen)
        tally.warn()
        return trace

    def count_trace(self, x: Inputs, executor: str = "fast", **options: object) -> Trace:
        """A trace for counting spikes: potentials of hidden populations may be missing, which saves time and memory.

        Args:
            x, executor, options: as of `trace`.

        Raises:
            ConfigurationError, LavaError: as `trace`.
        """
        running, chosen = self.executor(executor), _options(executor, None, options)
        tally = InputTally(self.network)
        trace = running.count_trace(self._inputs(executor, self.input_values(x), tally), chosen)
        tally.warn()
        return trace

    def evaluate(
        self,
        x: Inputs,
        y: ArrayLike | torch.Tensor | None = None,
        executor: str = "fast",
        model: torch.nn.Module | None = None,
        progress: Callable[[int, int], None] | None = None,
        batch: int = EVALUATION_BATCH,
        mask: ArrayLike | torch.Tensor | None = None,
        memory_budget: int | None = None,
        ranks: Ranks | None = None,
        resume: str | Path | None = None,
        board: str | Path | Board | None = None,
        metric: Metric | None = None,
        **options: object,
    ) -> Evaluation:
        """Accuracy with interval, agreement with the ANN, spikes, synaptic operations, α, latency and period.

        Args:
            executor: name of the executor.
            options: further options of the executor.
            x, y: inputs as the ANN takes them and class labels (N,); without y, x is a loader of batches with labels
                (`data.loaders`). With a metric, y may be anything that it takes.
            model: the ANN to compare with; by default the one that was converted.
            progress: called as progress(images done, images in all), first with what earlier runs have done.
            batch: images per step and part; ranks take whole parts.
            mask: nodes of a graph network that count for accuracy and agreement, boolean; spikes are those of all.
            memory_budget: bytes that "fast" may take beside weights and inputs, see `predict`.
            ranks: processes that share the images, all of which get the same result (docs/scale.md); the same
                arguments on every one of them.
            resume: folder that keeps the counts of finished parts, so that an interrupted run can be
                continued; the result is that of a run in one piece.
            board: a board, its name or its file; the report then states the energy of every population at its prices.
            metric: called as metric(outputs, y) with the outputs of all samples as `predict` gives them, and again with
                those of the ANN; returns a number, or numbers by name. It takes the place of accuracy and agreement,
                and is what a network of several outputs is evaluated by.

        Raises:
            ConfigurationError: an argument out of range, inputs or labels that cannot be used as `predict` and
                `data.checks.class_labels` say, or a folder of another network, data or executor.
            BoardError: there is no such board, or its file has problems.
            DataError: a folder that cannot be used.
            DistributedError: another rank failed.
        """
        check_progress(progress)
        prices = prices_of(board)
        if metric is not None:
            if self.graph is not None or mask is not None or ranks is not None or resume is not None or y is None:
                raise ConfigurationError(
                    "metric: must be None for a graph network, with mask, ranks or resume, and without y; call it on "
                    "the outputs of `predict`"
                )
            evaluator = self._evaluator(x, None, executor, model, batch, memory_budget, **options)
            return evaluate_metric(evaluator, metric, y, self._structured, prices, progress)
        if y is None:
            if self.graph is not None or not is_loader(x):
                raise ConfigurationError(
                    "y: must be integer class numbers in an array or tensor, got None; or x as a loader with labels"
                )
            x, y = labelled_arrays("x", cast("Iterable[object]", x))
        if self.graph is not None:
            if ranks is not None or resume is not None:
                raise ConfigurationError("ranks, resume: must be None for a graph, which is one sample")
            ann = model if model is not None else self.model
            answer = None if ann is None else lambda: call_model(ann, *graph_arguments(x).values)
            running, chosen = self.executor(executor), _options(executor, memory_budget, options)
            tally = InputTally(self.network)
            trace = running.trace(self._inputs(executor, self.input_values(x), tally), chosen)
            tally.warn()
            return evaluate_graph(self.network, executor, trace, y, mask, answer, tally.outside, prices)
        if mask is not None:
            raise ConfigurationError("mask: must be None, it selects nodes of a graph; select inputs instead")
        evaluator = self.evaluator(x, y, executor, model, batch, memory_budget, **options)
        return self.evaluation_of(evaluator, evaluator.run(ranks, resume, progress=progress), board)

    def evaluator(
        self,
        x: Inputs,
        y: ArrayLike | torch.Tensor,
        executor: str = "fast",
        model: torch.nn.Module | None = None,
        batch: int = EVALUATION_BATCH,
        memory_budget: int | None = None,
        **options: object,
    ) -> Evaluator:
        """The evaluator that counts the parts of an evaluation of images.

        Args:
            x, y, executor, model, batch, memory_budget, options: as for `evaluate`.
        """
        return self._evaluator(x, y, executor, model, batch, memory_budget, **options)

    def _evaluator(
        self,
        x: Inputs,
        y: ArrayLike | torch.Tensor | None,
        executor: str,
        model: torch.nn.Module | None,
        batch: int,
        memory_budget: int | None,
        **options: object,
    ) -> Evaluator:
        running, chosen = self.executor(executor), _options(executor, memory_budget, options)
        inputs: Any = self.input_values(x)
        labels = np.zeros(0, np.int64)  # a metric has targets of its own
        if y is not None:
            labels = class_labels("y", y, len(inputs), classes_of(self.network))
        tally = InputTally(self.network)
        ann = self.model if model is None else with_parts(model, self.inputs)
        images = running.images_per_run(chosen)

        def traced(part: NDArray[np.floating]) -> Trace:
            return running.count_trace(self._inputs(executor, part, tally), chosen)

        answer = None if ann is None else lambda part: ann_output(ann, part, self.outputs)
        step = batch if images is None else min(batch, images)
        return Evaluator(
            self.network, executor, inputs, labels, batch, step, traced, ann, answer, chosen.counted_with(), tally
        )

    def evaluation_of(
        self, evaluator: Evaluator, counts: Counts, board: str | Path | Board | None = None
    ) -> Evaluation:
        """The report of what an evaluator counted.

        Args:
            evaluator: from `evaluator`.
            counts: its counts.
            board: as for `evaluate`.
        """
        with_ann = evaluator.ann is not None
        InputTally(self.network, counts.outside, counts.images).warn()
        return Evaluation.of(
            self.network,
            evaluator.executor,
            counts.counter(self.network),
            Accuracy(counts.right, counts.images),
            Accuracy(counts.ann_right, counts.images) if with_ann else None,
            Accuracy(counts.agreed, counts.images) if with_ann else None,
            counts.outside,
            prices_of(board),
        )

    def report(self, path: str | Path, x: Inputs, y: ArrayLike | torch.Tensor | None = None, **options: Any) -> Path:
        """Write one self-contained HTML page about the network, see `loihi_onespike.report`.

        Args:
            path: file to write, .html.
            x: inputs as of `predict`.
            y: labels (N,), for the accuracy.
            options: further arguments of `loihi_onespike.report`: model, board, tune and others.

        Raises:
            ConfigurationError: an argument cannot be used, or the extra `report` is not installed.
        """
        # The report is made of analyses of networks and therefore lies above this module.
        return import_module("loihi_onespike").report(self, path, x, y, **options)

    def save(self, path: str | Path) -> Path:
        """Write the integer network as NetX HDF5 (docs/netx_format.md); returns the path."""
        import netx_export

        netx_export.write(self.network, path)
        return Path(path)

    def __repr__(self) -> str:
        hidden = self.network.hidden
        neurons = sum(int(np.prod(p.shape)) for p in hidden)
        return (
            f"OneSpikeNetwork({self.network.name}: {len(hidden)} spiking populations, {neurons} neurons, "
            f"T={self.network.timesteps}, period {self.period_steps} steps, latency {self.latency_steps} steps)"
        )


@dataclass(frozen=True, eq=False)
class ConvertArguments(ConversionOptions):
    """What `convert` is called with: model, calibration data and the options of the conversion."""

    model: ModelSource
    calibration: torch.Tensor | NDArray[np.floating] | Iterable[object]
    progress: Progress | None = field(default=None, kw_only=True)
    ranks: Ranks | None = field(default=None, kw_only=True)


@called_with(ConvertArguments)
def convert(given: ConvertArguments) -> OneSpikeNetwork:
    """Convert a trained ReLU network into a one-spike network with integer weights (arXiv 2403.08786).

    The model is not changed and not trained; it is read as in eval mode.

    Args:
        model: any `torch.nn.Module` of supported operations, a program of `torch.export.export`, or the path of an
            .onnx or .pt2 file.
        calibration: inputs as the model takes them, tensor (N, …) or iterable of batches; (x, y) batches give x, and
            mappings the entry that is known as the inputs (`data.loaders`).
            For a model of several inputs a tuple or mapping of arrays (N, …), or batches of this form.
            For a graph network its arguments: a torch.sparse adjacency, or a tuple of it and the features, or of
            features, edge_index and perhaps edge weights; the whole graph is one sample.
        {options}
        progress: called as progress(what, done, of).
        ranks: processes that share the survey of the activations, with the same arguments on every one of them; all
            get the same network (docs/scale.md). A graph is one sample, so nothing of it is shared.

    Raises:
        UnsupportedModelError: with every operation that has no one-spike form.
        ModelLoadError: when the file of a model cannot be read.
        CalibrationError: when the calibration data is empty or not finite.
        ConfigurationError: when an option is out of range.
        BoardError: when `account` names a board that does not exist, or a file with problems.
        HeadroomError: when a layer does not fit into 24 bits.
    """
    check_progress(given.progress)
    prices = prices_of(None if given.account == ALPHA else given.account)
    module, calibration = as_module(given.model), given.calibration
    if not is_graph(calibration):
        module, calibration = joined_inputs_of(module, calibration)
    network, stages = convert_network(module, calibration, given, given.progress, given.ranks, prices)
    return OneSpikeNetwork(network, stages, module)


def load(path: str | Path) -> OneSpikeNetwork:
    """Network from a NetX HDF5 file; raises FormatError naming the field when the file is not one of ours."""
    import netx_export

    return OneSpikeNetwork(netx_export.read(path))


def prices_of(board: str | Path | Board | None) -> OperationPrices | None:
    """Prices of the operations on a board, or on one of a name or file; None for none."""
    if board is None:
        return None
    return operation_prices(board if isinstance(board, Board) else load_board(board))


def _options(executor: str, memory_budget: int | None, given: Mapping[str, object]) -> ExecutorOptions:
    """Options of an executor from the keyword arguments of the API."""
    budget = {} if memory_budget is None else {"memory_budget": memory_budget}
    return entry_of(executor).options_of({**budget, **given})
