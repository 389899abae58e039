"""The measurement of results by judges that had no part in making them.

Nothing here imports the product: sound and pictures are read by PyAV and judged by libraries that
the networks were never trained against. They live in an environment of their own (README.md beside
this file); every import of such a library stands inside the function that needs it.
"""
