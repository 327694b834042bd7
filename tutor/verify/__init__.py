"""Play lessons against the real kernel, to find what no longer works. A face of the session, without a learner."""
