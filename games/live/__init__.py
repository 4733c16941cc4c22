"""Live updates: changes in the table, pushed to their viewers as server-sent events.

A **hub** has one **topic** for each watched game and open lobby. It reads them as often as their **schedule** says, no
matter how many watch, and takes **hints** about this server's writes. A **stream** is one browser's connection.
"""
