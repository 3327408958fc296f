"""The program that is sent to a host and reads there: standard library only, and Python 3.6 must run it."""
