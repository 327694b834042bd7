"""The error explainer: what an engine prints when an operation fails, and what is wrong in `config.json`, in the learner's words.

Three sources: `config.json` itself (`tutor.configfile`, and what only shows beside the files: `survey`), a table of what runt,
runc 1.1 and crun 1.8 print (`patterns`), and what can be seen on disk (`programs`). No user interface; the texts are in the
message catalogue's topic `explain`. `explainer` is the door.
"""
