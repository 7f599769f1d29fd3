"""Limits of the kernel that all containers share: raised at set-up, never lowered, put back."""
