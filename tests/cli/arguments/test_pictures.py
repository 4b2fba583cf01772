"""--plot: what no picture can be written to is refused before the work, and says what is supported."""

import pytest

from loihi_onespike.cli.arguments.pictures import check_picture, picture
from loihi_onespike.errors import ConfigurationError, DataError

MISSING = {
    "tune": ("tune", "no_such.py:build", "--data", "no_such.npz"),
    "diagnose": ("diagnose", "no_such.py:build", "--data", "no_such.npz"),
    "profile": ("profile", "no_such.h5", "--data", "no_such.npz"),
    "map": ("map", "no_such.h5", "--board", "oheo_gulch"),
}
"""Commands whose work would end at once with another error, so that the one about the picture came before it."""


@pytest.mark.parametrize("command", MISSING)
@pytest.mark.parametrize("name", ["d.xyz", "picture"])
def test_a_picture_of_an_unknown_kind_is_refused_before_the_work(onespike, command, name, tmp_path):
    result = onespike(*MISSING[command], "--plot", tmp_path / "new" / name)
    assert result.exit_code == 2 and name in result.stderr
    assert "--plot: must end in one of" in result.stderr and ".svg" in result.stderr and "no_such" not in result.stderr
    assert not (tmp_path / "new").exists()


def test_the_folder_is_made_and_the_case_of_the_suffix_does_not_matter(tmp_path):
    check_picture(None)
    check_picture(tmp_path / "new" / "a.PNG")
    assert (tmp_path / "new").is_dir()
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(DataError, match="is a folder"):
        check_picture(tmp_path / "folder.png")
    with pytest.raises(ConfigurationError, match=r"must end in one of .*\.pdf, .*\.png, .*\.svg"):
        check_picture(tmp_path / ".png")


def test_what_cannot_be_written_in_the_end_is_told(tmp_path):
    with pytest.raises(DataError, match=r"a\.png: cannot be written"), picture(tmp_path / "gone" / "a.png", (2, 2)):
        pass
