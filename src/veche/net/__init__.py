"""Shells around sockets: the one port, TLS, links of lines, the client's dialer."""
