"""Why an installation cannot be used: one sentence for the person at the terminal."""


class InstallationError(Exception):
    """`sentence` says what is wrong and what to do, and ends with a full stop."""

    def __init__(self, sentence: str) -> None:
        self.sentence = sentence
        super().__init__(sentence)
