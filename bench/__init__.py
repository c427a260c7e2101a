"""The load harness: the same scenarios against Veche, a bare router (the limit), Prosody and ejabberd.

`python -m bench --help`; what the figures mean stands in docs/performance.md.
"""
