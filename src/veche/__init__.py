"""Veche: a self-hosted communicator.  ARCHITECTURE.md is the map."""

__version__ = "0.1.0"
