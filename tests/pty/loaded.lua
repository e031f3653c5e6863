-- Loaded by commands.pty.
from_file = 17
print("loaded")
