"""The screen half of backscroll: a Textual app over the store."""
