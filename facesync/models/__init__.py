"""The networks: one encoder for everybody, one decoder that is told who, one adversary."""
