"""What people use today, and an oracle, each run in the same world as Sidestep."""
