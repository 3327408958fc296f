"""One real packet followed through the rules of kernels, by the kernels' own tracing."""
