"""Images and containers as layers: what they are made of, where that is, what they share, what was written.

model     plain data
describe  from the engine's JSON to that data, as pure functions
share     what several images have in common, and what that saves
look      asks a host; nothing here changes anything
by_hand   the docker commands that show the same
"""
