"""A prompt of prompt_toolkit, and no more."""

from __future__ import annotations

from prompt_toolkit import PromptSession

PROMPT = "bare> "

if __name__ == "__main__":
    PromptSession[str]().prompt(PROMPT)
