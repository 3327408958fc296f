"""The classroom: one folder for each exercise, and a person's way through it.

model      what an exercise.yaml says: steps, checks, hints, faults
loader     from a folder to an exercise, or to every mistake in it with its place
readme     the sections of its README.md: what a step's task is, and the commands that do it
progress   where a person stands, in a file of that person's own
remains    what hosts hold beside the lab, so that the end can be held against the beginning
changes    what has come, gone or changed between the two, and what mends it
scope      what a step may be judged by: what it and the steps before it have asked for
trial      what is broken on purpose, chosen by a seed
sealing    what a student shall not read in passing
course     start and check: where all that meets the hosts
breaking   faults put into the lab, and taken out again
ending     stop: everything taken away, and the hosts held against what they were
"""
