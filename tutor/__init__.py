"""oci-tutor: a teaching program for the OCI specifications."""
