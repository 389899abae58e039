"""How the networks of the safeguards were got, and how well they do."""
