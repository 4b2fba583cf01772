"""Time and energy of a network on a board, from exact counts and the board's tables, and where the SNN breaks even."""
