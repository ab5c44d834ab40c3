"""The panes: each gets data, or a small protocol to ask for it, and sends messages upward."""
