"""How the work of a command is done: on several ranks, as an array of jobs, in parts, until an interrupt."""
