"""A lab made and taken away: where the plans meet the hosts.

up          make the hosts agree with a definition
down        remove what carries a lab's labels
preflight   what can be known to fail before anything is created
restarts    what `up` has to know, and to be allowed, where an engine has to restart for its settings
images      the node image, and how an image comes to a host
execute     run a plan: what does not wait for something else runs at once
reconcile   what came of a command whose connection or engine was lost
remedies    what can be done about a step that failed
stale       networks that an engine holds though nobody is on them, and how it lets go
rollback    after a failure: remove what carries this run's label, and say what is left
proof       after a `down`: the hosts looked at again, and what is still there
showing     what each command of `up` changed on its host: looked at before, looked at after
scripts     the lab's commands as shell scripts, for `render`
"""
