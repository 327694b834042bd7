"""Running the public conformance suite, which stays outside this repository, on runt and its peers."""
