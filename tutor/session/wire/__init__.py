r"""The stream of events as text: what a recording holds, and what a follower in another program or another room reads.

A line is one event: a JSON object in ASCII, without a line break in it.

    {"v": 1, "kind": "step-passed", "index": 3, "step": "create", "by": "learner"}

`v` is the version of the form, `kind` the event's class in lower case with hyphens, and the other members are its fields. The
kinds and their fields are those of `tutor.session.events`, but that things of the course go by their ids:

- a lesson is `"lesson": "first-container"`; a step is `"step": "create"`, of the lesson that was opened last (`index`, its place
  there, is for those who have no course);
- a hint is `"hint": "wrong-args"` where it has an id; else it is the `number`th of the step's hints that are given in order;
- a verdict is `{"check": "status", "passed": true, "evidence": [...]}`; its text is the check's;
- a quiz's feedback is the lesson's for that choice; the choice is left out where it is the answer that the lesson names.

A reader has its own copy of the course, finds lessons and steps there, in its own language, and fills in their placeholders with
the `placeholders` of `lesson-opened`. So a line never says what a lesson's answers and solutions are. Where a text or a command
holds the text of a solution, because it was applied, printed or typed like that, the string is written in parts:

    "text": [{"step": "change-config", "solution": 0}, "\n"]

Other texts (a notice, an explanation, evidence) are in the language of the session. A call of an engine is written once, in
`command-started`; from there on it is `"call": 17`. The difference to the snapshot before is not written: a reader computes it.

A field that has its default may be left out, and a reader skips members that it does not know: a new member does not change the
version. Integers have any size. Strings are any Unicode, control characters and lone surrogates (bytes of a path that are not
UTF-8) included, as JSON escapes.

A stream begins with `lesson-opened`; only what is about no lesson (a notice) may come before.
"""

from __future__ import annotations

from tutor.session.wire.stream import VERSION, Decoder, Encoder

__all__ = ["VERSION", "Decoder", "Encoder"]
