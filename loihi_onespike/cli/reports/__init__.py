"""What the commands print and give as JSON, where it is more than a few lines."""
