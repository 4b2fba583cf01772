"""Lines of progress where there is no terminal: done, of, rate, time left."""

import pytest

from loihi_onespike.cli.terminal import progress
from loihi_onespike.cli.terminal.progress import Pace, ProgressBars, rate_text, time_text


def test_pace_leaves_out_what_was_done_before():
    """After 100 of earlier runs, 50 in 10 s: 5/s, and 350 left take 70 s."""
    assert Pace(100, 2.0).text(150, 500, 12.0) == "5.0/s, 1:10 left"
    assert Pace(100, 2.0).text(100, 500, 12.0) == ""
    assert Pace(0, 0.0).text(6, 6, 720.0) == "30.0/h"


@pytest.mark.parametrize(("per_s", "text"), [(12.34, "12.3/s"), (0.05, "3.0/min"), (0.001, "3.6/h"), (1e-5, "0.0/h")])
def test_rates(per_s, text):
    assert rate_text(per_s) == text


@pytest.mark.parametrize(("seconds", "text"), [(0.4, "0:00"), (42, "0:42"), (185, "3:05"), (3723, "1:02:03")])
def test_times(seconds, text):
    assert time_text(seconds) == text


def test_lines_now_and_then_and_the_last_once(capsys, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    with ProgressBars() as bars:
        for second, done in ((0, 0), (2, 10), (6, 30), (7, 35), (10, 50), (11, 50)):
            now[0] = second
            bars("evaluate", done, 50)
    assert capsys.readouterr().err.splitlines() == ["evaluate: 30/50 (5.0/s, 0:04 left)", "evaluate: 50/50 (5.0/s)"]


def test_silent(capsys):
    with ProgressBars(silent=True) as bars:
        bars("evaluate", 1, 1)
    assert capsys.readouterr().err == ""
