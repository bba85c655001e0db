"""What goes wrong because of what a person asked for."""


class DeskError(Exception):
    """The desk cannot do what it was asked.

    `sentence` says why, in the language that was active, with a full stop; `field` is the verb's
    argument that is wrong ("name", "email"), or "" where it is none of them.
    """

    def __init__(self, sentence: str, *, field: str = "") -> None:
        self.sentence = sentence
        self.field = field
        super().__init__(sentence)


class Overtaken(Exception):
    """Another transaction was first with what this one decided: roll it back, and do it again."""
