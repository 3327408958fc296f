"""What an engine would make of a definition: its books, and the kernel's state behind them; pure."""
