"""Steps that need what only `run/` knows: files and engines."""
