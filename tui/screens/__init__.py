"""What fills the terminal: the browser, and the sheets laid over it."""
