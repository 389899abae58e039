"""How well the watermarks survive: the attack table, measured on the shared data."""
