"""What to make of a converted network: diagnosis, tuning, plots."""
