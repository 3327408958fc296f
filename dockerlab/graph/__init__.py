"""A lab as a picture: a model of what is plugged into what, drawn as SVG, Mermaid or DOT. Pure functions."""
