"""What `onespike doctor` looks at: everything that the toolkit needs or can use, and what adds the rest."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module, metadata
from pathlib import Path
from typing import Literal

PACKAGE = "loihi-onespike"
PYTHONS = (3, 10), (3, 13)
"""Oldest and newest Python that the package supports."""
KERNEL_MODULES = (
    "analysis.diagnosis.model.kernel",
    "conversion.calibration.code_grid",
    "conversion.calibration.compensation",
    "conversion.calibration.early_thresholds",
    "conversion.calibration.sent_levels",
    "executors.fast.bounded.undecided_kernel",
    "executors.fast.copy_layer",
    "executors.fast.event.event_kernel",
    "executors.fast.gnn.gnn_kernel",
    "executors.fast.gnn.undecided_nodes",
    "executors.fast.product_layer",
    "executors.float.quantize_kernel",
)
"""Modules with compiled kernels."""
NOT_LISTED = ("lava", "dev", "docs")
"""Extras without a line: Lava has one of its own, and the others are for work on the package itself."""
_REQUIREMENT = re.compile(r"([\w.-]+)(?:\[[^]]*\])?\s*([^;]*)(?:;(.*))?")


@dataclass(frozen=True)
class EnvironmentPart:
    """One thing that was looked at.

    Attributes:
        name: what it is.
        state: "ok", "missing" (needed), or "optional" (absent, and only some commands use it).
        found: what is there.
        remedy: what to do where it is not; empty where nothing has to be done.
    """

    name: str
    state: Literal["ok", "missing", "optional"]
    found: str
    remedy: str = ""


def environment() -> Iterator[EnvironmentPart]:
    """Everything, in the order in which it is printed; what is slow to import comes last."""
    yield _python()
    yield from _requirements()
    yield _torch()
    yield _gpu()
    yield _threads()
    yield from _lava()
    yield _compiler()
    yield from _extras()
    yield _kernels()


def _python() -> EnvironmentPart:
    found = f"{platform.python_version()} ({sys.executable})"
    if PYTHONS[0] <= sys.version_info[:2] <= PYTHONS[1]:
        return EnvironmentPart("Python", "ok", found)
    least, most = (".".join(map(str, v)) for v in PYTHONS)
    return EnvironmentPart("Python", "missing", found, f"make an environment with Python {least} to {most}")


def _requirements() -> Iterator[EnvironmentPart]:
    """The packages without which nothing runs; one line where all are there."""
    try:
        needed = [r for r in metadata.requires(PACKAGE) or () if "extra ==" not in r]
        version = metadata.version(PACKAGE)
    except metadata.PackageNotFoundError:
        yield EnvironmentPart(
            PACKAGE, "optional", "not installed as a package, its modules are found by path", "pip install ."
        )
        return
    wrong = [part for part in map(_requirement, needed) if part is not None]
    yield EnvironmentPart(
        PACKAGE, "ok", f"{version}, {len(needed)} required packages" + ("" if wrong else ", all there")
    )
    yield from wrong


def _requirement(text: str) -> EnvironmentPart | None:
    """What is wrong with one requirement, None where nothing is."""
    match = _REQUIREMENT.match(text)
    assert match is not None
    name, wanted, marker = match.groups()
    if marker and "python_version" in marker and sys.version_info >= (3, 11):
        return None
    least = re.search(r">=\s*([\d.]+)", wanted)
    try:
        found = metadata.version(name)
    except metadata.PackageNotFoundError:
        return EnvironmentPart(name, "missing", "not installed", f'pip install "{name}{wanted.strip()}"')
    if least is not None and _numbers(found) < _numbers(least.group(1)):
        return EnvironmentPart(name, "missing", f"{found}, too old", f'pip install --upgrade "{name}{wanted.strip()}"')
    return None


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(n) for n in re.findall(r"\d+", version.split("+")[0])[:3])


def _torch() -> EnvironmentPart:
    try:
        import torch
    except Exception as error:  # a broken installation raises whatever its libraries raise
        return EnvironmentPart("torch", "missing", f"cannot be imported ({str(error)[:120]})", "pip install torch")
    return EnvironmentPart("torch", "ok", str(torch.__version__))


def _gpu() -> EnvironmentPart:
    try:
        import torch

        if torch.cuda.is_available():
            names = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
            return EnvironmentPart("GPU", "ok", f"{', '.join(names)}; used with --device cuda")
    except Exception as error:
        return EnvironmentPart("GPU", "optional", f"cannot be asked ({str(error)[:120]})", "everything runs on the CPU")
    return EnvironmentPart("GPU", "optional", "none that torch can use", "everything runs on the CPU")


def _threads() -> EnvironmentPart:
    import numba
    import torch

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    found = f"{cores} cores; torch uses {torch.get_num_threads()} threads, kernels {numba.get_num_threads()}"
    few = min(torch.get_num_threads(), numba.get_num_threads()) < cores
    variables = [v for v in ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS") if v in os.environ]
    limit = f"{' and '.join(variables)} limit them; unset to use all cores" if few and variables else ""
    return EnvironmentPart("threads", "ok", found, limit)


def _lava() -> Iterator[EnvironmentPart]:
    from loihi_onespike.boards.deployment.backends.registry import BACKENDS
    from loihi_onespike.executors.lava import why_unavailable

    reason = why_unavailable()
    if reason is None:
        yield EnvironmentPart("Lava", "ok", ", ".join(f"{name} {_version(name)}" for name in ("lava-nc", "lava-dl")))
    else:
        found, _, remedy = reason.partition("; ")
        yield EnvironmentPart("Lava", "optional", found, remedy)
    for check in BACKENDS[0].software():
        if check.name != "Lava":
            yield EnvironmentPart(check.name, "optional" if check.failed else "ok", check.found, check.remedy)


def _compiler() -> EnvironmentPart:
    from loihi_onespike.boards.sanafe.plugin import COMPILERS, compiler

    command = compiler()
    where = None if command is None else shutil.which(command[0])
    if where is None:
        found = "none" if command is None else f"{command[0]}, which CXX names, is not there"
        remedy = f"for `profile --simulator sanafe-computed`: install one of {', '.join(COMPILERS)}, or name one in CXX"
        return EnvironmentPart("C++ compiler", "optional", found, remedy)
    return EnvironmentPart("C++ compiler", "ok", where)


def _extras() -> Iterator[EnvironmentPart]:
    """The optional parts of the package and the packages that they ask for."""
    try:
        asked = [r for r in metadata.requires(PACKAGE) or () if "extra ==" in r]
    except metadata.PackageNotFoundError:
        return
    extras: dict[str, list[str]] = {}
    for text in asked:
        name, marker = _REQUIREMENT.match(text), re.search(r"extra == ['\"]([\w-]+)['\"]", text)
        assert name is not None and marker is not None
        extras.setdefault(marker.group(1), []).append(name.group(1))
    for extra, names in extras.items():
        if extra in NOT_LISTED:
            continue
        absent = [name for name in names if _version(name) is None]
        if absent:
            remedy = f'pip install "{PACKAGE}[{extra}]"'
            yield EnvironmentPart(f"extra {extra}", "optional", f"{', '.join(absent)} not installed", remedy)
        else:
            yield EnvironmentPart(f"extra {extra}", "ok", ", ".join(f"{name} {_version(name)}" for name in names))


def _version(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _kernels() -> EnvironmentPart:
    """Compiled kernels and the folders where numba keeps them."""
    for name in KERNEL_MODULES:
        import_module(f"loihi_onespike.{name}")
    from loihi_onespike.executors.compiled import KERNELS, has_machine_code

    ours = [k for k in KERNELS if k.py_func.__module__.startswith("loihi_onespike.")]
    kept = sum(map(has_machine_code, ours))
    folders = {str(k.stats.cache_path) for k in ours}
    where = os.path.commonpath(folders) if folders and "None" not in folders else "nowhere"
    found = f"{kept} of {len(ours)} kernels are compiled, kept in {where}"
    if where == "nowhere":
        return EnvironmentPart("kernels", "optional", found, "set NUMBA_CACHE_DIR to a folder that you may write to")
    if not os.access(where, os.W_OK) and Path(where).exists():
        return EnvironmentPart(
            "kernels", "optional", f"{found}, which is read-only", "set NUMBA_CACHE_DIR to a folder of your own"
        )
    left = "" if kept == len(ours) else "the others are compiled on first use, which takes up to a minute each time"
    return EnvironmentPart("kernels", "ok", found, left)
