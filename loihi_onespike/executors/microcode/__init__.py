"""The microcode executor: the whole network on interpreters of the published instruction set."""
