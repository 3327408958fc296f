"""What Docker built on a host: read in one round trip, joined from container to wire, and compared with what was.

The program that is sent to a host, for any Python from 3.6 on:

look       what there is, with `asking` (commands, files), `spaces` (network namespaces) and `processes`
listen     wait until something changed, and look

And here, pure but for `send`, `watching` and `raw`:

send       send the program, and give what it saw
model      what was seen, as plain data; `parse` makes it, `firewall` the part that `iptables-save` prints
names      what bridges, subnets and addresses stand for
sentences  what a rule of the firewall does, and why Docker has it
strands    from an interface to the wire, and from a published port to the process; `view` puts a lab together
raw        the commands that show it by hand
diff       what is different between two looks; `reasons` says why, `episodes` what it came from
watching   follow hosts while somebody works there
"""
