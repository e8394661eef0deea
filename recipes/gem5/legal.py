"""What a system file may say and gem5 cannot do: one line, for the user."""

import sys


class Unsupported(Exception):
    """The text is for the user."""


def choose(system, key, choices):
    """The entry of `choices` for what the system says at `key`."""
    value = system[key]
    if value not in choices:
        raise Unsupported(
            f"gem5 has no {key} '{value}', only {', '.join(choices)}: copy the system's file, change that, and name the copy with --system"
        )
    return choices[value]


def note(text):
    """A difference that does not stop the run, for the log."""
    print(f"note: {text}", file=sys.stderr)
