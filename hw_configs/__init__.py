"""Boards and chips as data: one TOML file per board, one per chip, a source and a status for each number.

Read by `loihi_onespike.boards.specification`; the form of the files is described in docs/boards.md.
"""
