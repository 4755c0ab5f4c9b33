"""Control plane: one thin Lambda handler per workflow step that needs code."""
