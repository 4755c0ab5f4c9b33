"""What is true and what to do about it: plain data and pure functions, no I/O."""
