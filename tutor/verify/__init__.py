"""`oci-tutor verify`: plays lessons against the real kernel, so that they cannot rot. A face of the session, without a learner."""
