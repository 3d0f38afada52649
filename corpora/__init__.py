"""The manifest of corpora, installed as ``symgen.corpora``."""
