"""`oci-tutor` on the command line: a module a subcommand."""
