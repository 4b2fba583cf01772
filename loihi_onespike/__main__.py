"""`python -m loihi_onespike`: the command `onespike` in the form that torchrun and job arrays start."""

from __future__ import annotations

from loihi_onespike.cli import main

if __name__ == "__main__":
    main()
