"""Options and arguments of the commands, and the way from their text to data, models and settings."""
