"""Deliberate bugs, and the simulation held against them."""
