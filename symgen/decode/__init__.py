"""Exact inference: rules and potentials joined in a lattice, and lines drawn from it."""
