"""Analysis of converted networks: diagnosis of losses, search for good options, plots."""
