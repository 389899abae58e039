"""Whatever is read from strangers is tried with bytes that nobody thought of."""
