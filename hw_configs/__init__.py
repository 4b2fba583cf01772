"""Boards and chips as data: one TOML file per board and one per chip, with a source and a status for every number.

The files are read by `loihi_onespike.boards.specification`; docs/boards.md describes their format, and CONTRIBUTING.md
shows how to add a board.
"""
