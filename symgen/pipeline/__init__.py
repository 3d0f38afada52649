"""The dataflow of the project, in readable functions: from corpora to a model, from a request to a score."""
