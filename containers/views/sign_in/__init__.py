"""Signing in: the password, the second factor, the sessions that it makes."""
