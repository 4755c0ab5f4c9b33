"""Whole-system simulation: random worlds and faults, invariants that must hold in each of them."""
