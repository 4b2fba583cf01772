"""The report of the zoo: rows of networks that are not measured again stay as they are."""

from __future__ import annotations

from benchmarks.zoo import REPORT, TABLES, document


def test_the_report_is_made_of_its_own_rows() -> None:
    report = REPORT.read_text(encoding="utf-8")
    lines = {table.title: table.lines(report) for table in TABLES}
    for table in TABLES:
        assert set(lines[table.title]) == set(table.networks), table.title
    written = document(lines)
    assert written.partition("\n\n")[2].partition("\n\n")[2] == report.partition("\n\n")[2].partition("\n\n")[2]
    table = TABLES[-1]
    changed = document({**lines, table.title: {**lines[table.title], "swin_t": "| swin_t | new |"}})
    assert [line for line in changed.splitlines() if line not in written.splitlines()] == ["| swin_t | new |"]
