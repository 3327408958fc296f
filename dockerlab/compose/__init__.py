"""A Compose file as a definition: read, interpolated, laid over others, and said in a lab's words."""
