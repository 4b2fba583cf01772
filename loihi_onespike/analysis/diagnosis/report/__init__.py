"""What a diagnosis reports: losses by population and cause, and what would reduce them."""
