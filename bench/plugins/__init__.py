"""What nbdkit's Python plugin runs, and what these servers ask in turn: scripts that know nothing of each other."""
