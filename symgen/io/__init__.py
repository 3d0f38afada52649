"""Reading and writing music: files, and the objects of other libraries."""
