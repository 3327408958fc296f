"""The definition: from a YAML file to a checked `Lab`."""
