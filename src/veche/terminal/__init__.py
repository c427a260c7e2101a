"""The terminal client: a screen for people, a plain mode for scripts, one way in for both."""
