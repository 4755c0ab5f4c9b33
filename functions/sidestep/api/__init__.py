"""Data plane: one thin Lambda handler per route, queue or stream."""
