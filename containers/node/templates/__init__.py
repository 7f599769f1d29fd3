"""Templates: the root file systems that containers are made from."""
