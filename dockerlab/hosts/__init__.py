"""Machines that run Docker: the local one, one behind SSH, one that is entered, one that is a function.

    base        the contract that all of them keep
    local       this machine
    ssh         one connection and several channels to another machine
    entered     one on which a stranger is root: read from outside, by way of its namespaces
    fake        a function from argument vector to answer, for tests
    address     where a host is, as the user writes it
    inventory   from names and addresses to hosts

What they share is in `process` and `dialogue`; `ssh` rests on `sshline` (one connection, made anew where it was lost),
`sshconnect` (the phases in which it is made), `sshconfig` (where to, by way of whom), `hostkeys`, `sshauth`, `channel`,
`slots` (how many channels at once), and `kept` (programs between two uses). `entered` brings `door`, the way to an
engine, and `genuine`, by which that is known to be the one that was there.
"""
