"""Sidestep as it runs in Lambda: core decides, aws adapts, api serves, control acts."""
