"""WebRTC for Python: legs of conferences for the terminal, for bots and for tests, over aiortc."""
