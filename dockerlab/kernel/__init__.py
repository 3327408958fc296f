"""What Linux kernels hold of networks, as plain data: one type for what was read and for what was made up.

Nothing here knows Docker: a bridge is a bridge, a rule is a rule, whoever made it.

addresses   addresses, in the standard library's words
model       a host's kernel: namespaces with links, listeners, settings
routes      routes, the rules that choose a table of them, neighbours
rules       rulesets of netfilter: chains, rules, sets
links       what `ip` and `bridge` print of links, neighbours and forwarding, read
tables      what `ip` prints of routes and of the rules that choose a table, read
iptables    what `iptables-save` prints, read and written
nft         what `nft -j list ruleset` prints, read (`nft_rules`, `nft_terms`, `nft_actions`) and told (`nft_text`)
ipset       what `ipset save` prints, read
difference  what is different between two states
"""
