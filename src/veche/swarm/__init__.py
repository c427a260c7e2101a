"""The pure rules of a conversation that needs no server: commits, membership, votes, validation, order, merging.

Nothing here opens a repository, a file or a socket; `veche.peer` reads Git and hands over what is to be judged.
"""
