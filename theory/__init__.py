"""Music theory as tables and pure functions: no models, no files, no randomness."""
