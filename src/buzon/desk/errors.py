"""What goes wrong because of what a person asked for."""


class DeskError(Exception):
    """The desk cannot do what it was asked; `sentence` says why, in English, with a full stop."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)
