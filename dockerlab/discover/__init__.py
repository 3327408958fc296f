"""From what is on hosts, whoever made it, to a definition: pure, but for `spot`, which looks.

wanted       what is taken: all that runs, or what filters say
naming       names for a definition of what hosts call as they please
networks     which networks are one, and what a definition says of each; `subnets` those that somebody chose
containers   what a definition says of a container; `places` of its networks, `ports`, `words` of all other things
secrets      what is never written
definition   all of it put together; `loadable` takes out of it what would not load
text         the same as YAML, with the reasons as comments
renaming     the hosts' books by the definition's names
asking       what is asked of hosts for that, while the rest is imported
spot         a lab that was discovered just now, for the commands that need one
"""
