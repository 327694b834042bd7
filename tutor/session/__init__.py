"""The middle: this learner, this lesson, this lab, this engine, with no user interface in it."""
