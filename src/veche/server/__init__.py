"""The home server: `app` wires everything, `session` is one connection, `features` what it can do, `web` its HTTP side."""
