"""What keeps a lab from working on its hosts, and what mends it, found before anything is made.

condition   what a machine says of itself beyond its facts: one script, one parser
look        all hosts asked at once, also where some do not answer
machine     judgements on a machine: forwarding, firewall, kernel, Python, clock, disk
docker      judgements on its Docker: the command, the rights, the engine
lab         judgements on a lab there: names, parents, subnets, ports, images, neighbours
adapters    what virtual machines and wireless networks do to MAC addresses
mending     the remedies that can be taken back, carried out

The judgements are pure. What `up` refuses is judged by the same functions, in `preflight`, `plan` and `causes`.
"""
