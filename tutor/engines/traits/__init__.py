"""Traits: what differs between engines and their versions, asked of the engine itself and never assumed from its version.

`engines.yaml` names the traits, their possible answers, and what was observed on which version. `probes/` has the question for each
as a small bundle that is run in a lab of its own. `kept.py` asks an engine once, and keeps its answers by the digest of its binary.
"""
