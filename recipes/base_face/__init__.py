"""How the bundled face weights were made: commands that run on the shared data."""
