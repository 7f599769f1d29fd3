"""Process snapshots: dumped by CRIU, kept beside the disk they belong to, verified before use."""
