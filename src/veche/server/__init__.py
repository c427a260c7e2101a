"""The home server: `app` wires everything, `session` is a connection, `features` what it can do, `web` its HTTP."""
