"""Live updates: what happens in the table, pushed to those who watch, as server-sent events.

A **hub** has one **topic** for each watched game and each open lobby, reads it as often as its **schedule** says,
however many watch, and takes **hints** of what this server's own pages wrote. A **stream** is one browser's connection.
"""
