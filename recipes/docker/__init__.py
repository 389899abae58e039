"""Container files, and their steps without Docker."""
