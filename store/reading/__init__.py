"""Reading what agents wrote: files and databases that are never touched, lines that may be torn.

Everything here is shared by the agents' adapters and knows none of them.
"""
