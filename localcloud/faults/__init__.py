"""What can go wrong in a world: the kinds, and how each strikes and ends."""
