"""Processes on a node: running commands, the control groups they live in, consoles."""
