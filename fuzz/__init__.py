"""Fuzzing of what reads bytes from strangers.  See README.md."""
