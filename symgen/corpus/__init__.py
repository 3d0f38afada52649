"""Corpora: what there is, how to read it, and how it is packed for training."""
