"""What writes the generated files: `python3 dev.py protocol` and `python3 dev.py requirements`."""
