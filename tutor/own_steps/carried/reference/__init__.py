"""The model solution: every function of the course, in the plain style that a learner would write; what is not written yet is taken from here."""
