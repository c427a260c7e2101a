"""Entry points.  The only row that reads arguments, environment and configuration files."""
