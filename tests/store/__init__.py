"""The store, told as stories: every one runs on every engine that the `store` fixture has."""
