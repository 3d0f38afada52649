"""The band: drums, bass, chords and a second line beside a melody, from tables and rules, without a model."""
