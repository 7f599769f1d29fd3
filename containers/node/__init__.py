"""Everything that happens on a node. Nothing here knows Django or Channels."""
