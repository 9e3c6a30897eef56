"""Results for people: a summary on the terminal, and files in a folder."""
