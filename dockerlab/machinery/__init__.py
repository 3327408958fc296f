"""What Docker built on a host: joined from container to wire, and compared with what was.

What is seen comes from the survey's program, which is asked for the engine's objects as well. Pure but for `send`,
`watching` and `raw`:

send       look at hosts, and give the engine's objects with the kernel's state
model      both, as plain data; `parse` makes it
names      what bridges, subnets and addresses stand for
naming     which interfaces and places a rule names
sentences  what a rule of the firewall does, and why Docker has it
strands    from an interface to the wire, and from a published port to the process; `view` puts a lab together
raw        the commands that show it by hand
diff       what is different between two looks; `reasons` says why, `episodes` what it came from
watching   follow hosts while somebody works there
"""
