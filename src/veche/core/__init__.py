"""Pure rules: names, SCRAM, lockout, budgets, lines, delivery.  Time, randomness and bytes come in; no I/O here."""
