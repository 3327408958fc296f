"""`python -m dockerlab` is the command `dockerlab`."""

from dockerlab.cli import main

main()
