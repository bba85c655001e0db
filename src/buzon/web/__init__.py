"""Pages for people: each loads through the person's own querysets, calls one verb, and answers."""
