"""Who is told of which event, and how."""
