"""What the report says, as values for JSON: a module per section."""
