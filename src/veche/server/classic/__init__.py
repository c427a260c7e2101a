"""The classic profile: the chat of document 002 over the same server.

`credentials` is the file of names and passwords, `accounts` makes accounts of it.  `dialogue` speaks with a classic
terminal: `commands` makes a packet of a typed line, as any client could have sent, and `rendering` puts into words what
the server would have told that client.  What else differs (presence to all, told blocks) stands where the feature is,
behind `app.is_classic`.

Source: document 002; rows T01-T60, X04-X06, X21, X25.
"""
