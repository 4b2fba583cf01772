"""Writing to the terminal: tables and JSON on stdout, remarks and progress on stderr."""
