"""A packet's way through kernels as Linux does it, of which only their state is known: pure, and without Docker."""
