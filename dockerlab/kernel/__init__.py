"""What Linux kernels hold of networks, as plain data: one type for what was read and for what was made up.

Nothing here knows Docker: a bridge is a bridge, a rule is a rule, whoever made it.
"""
