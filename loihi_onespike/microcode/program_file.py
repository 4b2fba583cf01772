"""The program files that the user supplies, one per population or one for all."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from loihi_onespike.errors import ConfigurationError

UCODE_VARIABLE = "LOIHI_ONESPIKE_UCODE"
"""Environment variable that names the file or folder where no argument does."""

Ucode: TypeAlias = "str | Path | Mapping[str, str | Path]"
HELP = (
    "one file per population in Intel's microcode tools, after the listing of loihi_onespike.microcode.program_of; "
    "see docs/microcode.md"
)


def program_files(populations: Sequence[str], ucode: Ucode | None = None) -> dict[str, Path]:
    """File of each population's program.

    Args:
        ucode: a folder with files named after the populations (any suffix), a mapping from population to file, or one
            file for a single population; by default what LOIHI_ONESPIKE_UCODE names.

    Raises:
        ConfigurationError: no program given, or files missing; all of them are listed.
    """
    if ucode is None:
        given = os.environ.get(UCODE_VARIABLE)
        if not given:
            raise ConfigurationError(
                f"ucode: no program files are given; write {HELP}; give their folder as ucode, with --program or in "
                f"the environment variable {UCODE_VARIABLE}"
            )
        ucode = given
    found = _found(populations, ucode)
    missing = [f"{name} ({path})" for name, path in found.items() if not path.is_file()]
    if missing:
        raise ConfigurationError(f"ucode: no program file for {', '.join(missing)}; write {HELP}")
    return found


def _found(populations: Sequence[str], ucode: Ucode) -> dict[str, Path]:
    if isinstance(ucode, Mapping):
        unnamed = [name for name in populations if name not in ucode]
        if unnamed:
            raise ConfigurationError(f"ucode: no entry for {', '.join(unnamed)}; write {HELP}")
        return {name: Path(ucode[name]) for name in populations}
    path = Path(ucode)
    if path.is_dir():
        return {name: _in_folder(path, name) for name in populations}
    if len(populations) > 1:
        raise ConfigurationError(
            f"ucode: must be a folder or a mapping for {len(populations)} populations, got {path}; each population has "
            "its own program, so give a folder or a mapping from population to file"
        )
    return dict.fromkeys(populations, path)


def _in_folder(folder: Path, name: str) -> Path:
    candidates = sorted(p for p in folder.iterdir() if p.is_file() and name in (p.name, p.stem))
    if len(candidates) > 1:
        raise ConfigurationError(
            f"ucode: {len(candidates)} files for {name} in {folder}: {', '.join(p.name for p in candidates)}; leave "
            "one, or give a mapping from population to file"
        )
    return candidates[0] if candidates else folder / name
