"""What the commands for people do: install, join, accept, look, change. `cli` only parses and prints."""
