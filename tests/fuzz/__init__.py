"""Coverage-guided fuzzing of whatever reads what strangers and machines say; `scripts/fuzz` runs it."""
