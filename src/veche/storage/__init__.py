"""Storage: what each feature asks of a database (accounts.py, devices.py, messages.py ...), and two databases."""
