"""Measures of music: pure functions over melodies, scores and arrays, each derived from its paper.

What each one says, its units and how to read it stands in ``docs/evaluation.md``; the dataflow that puts them into
one table is :mod:`symgen.pipeline.evaluate`. Nothing here reads files, and chance comes in as a generator of numpy.
"""
