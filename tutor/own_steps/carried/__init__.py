"""What a learner's exported runtime carries along: the standard library only, and nothing of oci-tutor."""
