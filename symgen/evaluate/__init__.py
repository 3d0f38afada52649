"""Measures of music."""
