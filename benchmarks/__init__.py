"""Measurements: what Sidestep does beside what people use today."""
