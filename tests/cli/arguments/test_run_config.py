"""onespike.toml: what is read, and what is said about mistakes."""

import pytest

from loihi_onespike.cli.arguments.config_text import config_text
from loihi_onespike.cli.arguments.run_config import line_of, read_config
from loihi_onespike.conversion.options import ConversionOptions, option_fields
from loihi_onespike.errors import ConfigurationError

GOOD = """
folder = "run"
[model]
source = "digits"
[data]
calibration = "digits"
[convert]
timesteps = 8
wait = 4
method = "paper"
[tune]
max_loss = 0.5
timesteps = [4, 8]
[map]
"""


def read(tmp_path, text):
    (tmp_path / "onespike.toml").write_text(text)
    return read_config(tmp_path / "onespike.toml")


def test_sections(tmp_path):
    config = read(tmp_path, GOOD)
    assert config.options == ConversionOptions(timesteps=8, wait=4, method="paper")
    assert config.tune is not None and config.tune.timesteps == [4, 8] and config.tune.trials == 60
    assert config.map is not None and config.map.board == "oheo_gulch" and config.evaluate.executor == "fast"


@pytest.mark.parametrize(("value", "bits"), [('"auto"', "auto"), ("0", 0), ("2", 2)])
def test_the_payload_is_a_number_or_auto(tmp_path, value, bits):
    text = GOOD.replace('method = "paper"', f"payload_bits = {value}")
    assert read(tmp_path, text).options == ConversionOptions(timesteps=8, wait=4, payload_bits=bits)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("timesteps = 8", "timesteps = 300", "onespike.toml:8: convert.timesteps: must be an integer in [1, 256]"),
        ("wait = 4", "wiat = 4", ":9: convert.wiat: is no option of the conversion; did you mean wait?"),
        ("wait = 4", "wait = 9", ":9: convert.wait: must be None or an integer in [1, 8] (the timesteps), got 9"),
        ('source = "digits"', "", ":3: model.source: is missing"),
        ('method = "paper"', "payload_bits = 5", ":10: convert.payload_bits: must be 'auto' or an integer in [0, 4]"),
        ("[data]", "[dta]", ":1: data: is missing"),
        ("[data]", "[dta]", ":5: dta: is not a key of this file; did you mean data?"),
        ("max_loss = 0.5", 'max_loss = "half"', ":12: tune.max_loss: input should be a valid number, got 'half'"),
        ("max_loss = 0.5", "trials = 0", ":12: tune.trials: input should be greater than or equal to 1, got '0'"),
        ("[map]", '[map]\n\n[evaluate]\nexecutor = "x"', ":17: evaluate.executor: must be fast, float"),
        ("[map]", "[map", "is not TOML"),
    ],
)
def test_mistakes_have_their_place(tmp_path, old, new, said):
    with pytest.raises(ConfigurationError) as caught:
        read(tmp_path, GOOD.replace(old, new))
    assert said in str(caught.value)


def test_all_mistakes_at_once(tmp_path):
    with pytest.raises(ConfigurationError, match="2 problems in"):
        read(tmp_path, GOOD.replace("timesteps = 8", "timesteps = 0").replace("wait = 4", "base = 9"))


def test_lines():
    text = "a = 1\n[b]\nc = 2\n[d.e]\n'f' = 1\nc = 3\n"
    assert [line_of(text, place) for place in (("a",), ("b", "c"), ("d", "e", "c"), ("b", "x"))] == [1, 3, 6, 2]


def test_the_shipped_model_brings_its_data(tmp_path):
    assert 'calibration = "digits"' in config_text("digits", None, None, tmp_path, None)
    assert 'calibration = "calibration.npz"' in config_text("m.py:build", None, None, tmp_path, None)


def test_the_text_that_init_writes_is_read_and_every_option_stands_in_it(tmp_path):
    text = config_text("digits", None, "digits", tmp_path, None)
    assert read(tmp_path, text).options == ConversionOptions()
    lines = text[text.index("[convert]") :].splitlines()
    for field in option_fields():
        (line,) = (line for line in lines if line.startswith(f"# {field.name} = "))
        if field.default is not None:  # what is written down as the default is the default
            given = text.replace(line, line.removeprefix("# "))
            assert getattr(read(tmp_path, given).options, field.name) == getattr(ConversionOptions(), field.name)
