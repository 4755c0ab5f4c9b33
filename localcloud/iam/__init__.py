"""IAM: whether a role may do what it asks for."""
