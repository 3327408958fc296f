"""Find out who reaches whom: the agent, the portable prober, their parsers, and the joining of their records."""
