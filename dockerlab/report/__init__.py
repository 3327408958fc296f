"""How a verified matrix is shown: one file per format, each a function from `Report` to text."""
