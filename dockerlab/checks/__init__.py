"""What an exercise asks of the hosts, as data: cells, objects, facts, questions; and how each is judged.

model      the five kinds, as they stand in an exercise.yaml
looks      the facts that can be looked at, each with the command that reads it
scene      a lab and its hosts as they were just looked at
answers    what an answer means, and how a right one is sealed
cells      cells of the matrix, held against what is wanted of them
questions  answers, held against what the hosts show
judge      from a check and a scene to an outcome
outcome    pass, fail or unknown: what is wrong, where to look, what puts it right
"""
