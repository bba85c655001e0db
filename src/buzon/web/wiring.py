"""What the pages can do only where whoever runs them says how: set once, before they are served."""

from collections.abc import Callable

# Starts the demonstration shop, or finds it running; its administrator's e-mail and password.
# None: this process cannot, and the pages do not offer it. Raises DeskError.
demonstration: Callable[[], tuple[str, str]] | None = None
