"""The operator's command line, sidestep."""
