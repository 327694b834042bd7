"""A runtime of the learner's own: their functions beside ours, run contained, judged by state, and exported."""
