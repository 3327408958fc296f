"""What a lab makes of its hosts themselves: interfaces, routes, rules, firewall and settings, exactly undone.

deeds     a section of a definition as single things, each with the commands that make it and take it out
firewall  the presets, and the lines of iptables and nft, as deeds
objects   the same things as a kernel has them
present   what of them a kernel has now
receipt   what is noted on the host before anything is done
"""
