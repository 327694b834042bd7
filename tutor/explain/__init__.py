"""The error explainer: what an engine's error means and what is wrong in `config.json`, in the learner's language.

It has three sources:
- `config.json` itself: `tutor.configfile`, and `survey` for what depends on other members or on files
- tables of what runt, runc and crun print: `patterns`; `limits` for limits of the kernel that look like a full disk; `families`,
  what an engine was doing; `own`, what no engine says
- the files on disk: `programs`, `seen`

Call `explainer`. There is no user interface here; the texts are in the message catalogue's topic `explain`.
"""
