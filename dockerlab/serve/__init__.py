"""The teacher's page: every student of a class and every cell, live as they work.

board    what the page shows, from grades to plain values; written by the rounds, read by the page
access   who may see it: a token where it is not this machine alone, and no other site's name for it
app      the page, its data, and its events, as a web application
server   the application on a socket, in a thread of its own
page/    the page: a template, its style and its program
"""
