"""What an exercise asks of the hosts, as data: cells, objects, facts, questions; and how each is judged.

model    the four kinds, as they stand in an exercise.yaml
looks    the facts that can be looked at, each with the command that reads it
judge    from a check and what the hosts show to pass, fail or unknown, with a reason
"""
