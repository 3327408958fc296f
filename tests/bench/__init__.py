"""Side by side: what dockerlab takes, and what people would use instead. `scripts/bench` runs it."""
