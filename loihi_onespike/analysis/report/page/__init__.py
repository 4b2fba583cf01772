"""How the report looks: one HTML page with its styles, scripts and data inside."""
