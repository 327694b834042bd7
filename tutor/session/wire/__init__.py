r"""The stream of events as text, for recordings and for followers in other programs and on other machines.

A line is one event: a JSON object in ASCII, without a line break in it.

    {"v": 1, "kind": "step-passed", "index": 3, "step": "create", "by": "learner"}

`v` is the version of the form, `kind` the event's class in lower case with hyphens, and the other members are its fields. Kinds and
fields are those of `tutor.session.events`, but what belongs to the course is named by its id:

- a lesson is `"lesson": "first-container"`; a step is `"step": "create"`, of the lesson that was opened last (`index`, its place
  there, is for readers without a course);
- a hint is `"hint": "wrong-args"` where it has an id, else the `number`th of the step's hints that are given in order;
- a verdict is `{"check": "status", "passed": true, "evidence": [...]}`; its text is that of the check;
- the feedback to an answer is left out, since the lesson has it; so is a choice that is the answer which the lesson names.

A reader has its own copy of the course. It finds lessons and steps there, in its own language, and fills in their placeholders with
the `placeholders` of `lesson-opened`. So no line holds an answer or a solution of a lesson. A string that contains the text of a
solution, because the solution was applied, printed or typed, is written in parts:

    "text": [{"step": "change-config", "solution": 0}, "\n"]

Other texts (notices, explanations, evidence) are in the language of the session. A call of an engine is written once, in
`command-started`; later lines refer to it by `"call": 17`.

A field with its default value may be left out, and a reader skips members that it does not know: a new member does not change the
version. Integers have any size. Strings may hold any character, control characters and lone surrogates (bytes of a path that are not
UTF-8) included, written as JSON escapes.

A stream begins with `lesson-opened`; only a notice may come before it.
"""

from __future__ import annotations

from tutor.session.wire.stream import VERSION, Decoder, Encoder

__all__ = ["VERSION", "Decoder", "Encoder"]
