"""Who can get into a container: accounts, passwords, keys, and the names it answers to."""
