"""The query line: one grammar for the screen and the command line. Pure: nothing is looked up.

`model` has what a query says, `parser` how it is written, `uses` what it means for a list of tasks
and for a search of messages, `completion` what could be typed next.
"""
