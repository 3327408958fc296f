"""A class in the browser: a place, a page and terminals for every student, and a page for the teacher.

What is known of a class is a fold of what has happened in it (`state`), which is appended to a file (`keeping`): a
server that was killed goes on. Around it: programs run in a student's place (`running`; `ready` begins them from copies
of a process that has imported what they need, `copies`), terminals (`terminal`), the class itself (`room`), and the web
application (`guard`, `app`, `orders`, `sockets`).
"""
