"""From models to lines: pure functions that say what a thing looks like, and know no widget."""
