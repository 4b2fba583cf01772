"""The counts of finished parts in a folder, so that an evaluation can be interrupted and continued, or shared.

run.json        what the counts depend on, and how the images are cut
part.<n>.json   counts of part n, with a digest of them

Files appear as a whole or not at all; several processes may write at the same time, since all of them would write the
same.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from loihi_onespike.errors import DataError
from loihi_onespike.evaluation.fingerprint import digest
from loihi_onespike.evaluation.image_counts import Counts
from loihi_onespike.evaluation.parts import Part
from loihi_onespike.jobs.run_folder import claim, read_object, write_object

FORMAT = "onespike evaluation 3"
"""Version 2 added the digest of a part, version 3 the operations without weights of 0; folders of earlier versions are
refused as those of another run."""
RUN = "run.json"


@dataclass(frozen=True)
class Ledger:
    """Counts kept for one evaluation.

    Attributes:
        folder: where.
        run: hash of what the counts depend on; stands in every file.
    """

    folder: Path
    run: str

    @classmethod
    def open(cls, folder: str | Path, facts: Mapping[str, object]) -> Ledger:
        """The folder of an evaluation that depends on `facts`, made when it is not there.

        Raises:
            ConfigurationError: the folder belongs to another evaluation; names what differs.
            DataError: the folder cannot be used, or holds something else.
        """
        stored = claim(folder, RUN, {"format": FORMAT, **facts}, lambda name: name.startswith("part."), "--resume")
        return cls(Path(folder), digest(stored))

    def kept(self, parts: list[Part]) -> dict[Part, Counts]:
        """Counts of the parts that are finished; raises DataError for a file that does not hold its part's."""
        paths = {part: self._file(part) for part in parts}
        return {part: self._checked(path, part) for part, path in paths.items() if path.exists()}

    def images_kept(self, parts: list[Part]) -> int:
        """Images of the parts that are finished, without a look into their files."""
        return sum(len(part) for part in parts if self._file(part).exists())

    def keep(self, part: Part, counts: Counts) -> None:
        """Write down the counts of a part; raises WriteError where that is not possible."""
        document = {"run": self.run, "first": part.first, "end": part.end, "counts": counts.to_dict()}
        write_object(self._file(part), document | {"digest": digest(document)})

    def _file(self, part: Part) -> Path:
        return self.folder / f"part.{part.number:06d}.json"

    def _checked(self, path: Path, part: Part) -> Counts:
        stored = read_object(path)
        try:
            kept = stored.pop("digest")
            if kept != digest(stored):
                raise ValueError("the file was edited or damaged, it does not match its digest")
            counts = Counts.from_dict(stored["counts"])
            found = (stored["run"], stored["first"], stored["end"], counts.images)
            if found != (self.run, part.first, part.end, len(part)):
                raise ValueError("found counts of other images or of another run")
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path}: not the counts of this part ({error}); delete it, it is counted again") from error
        return counts
