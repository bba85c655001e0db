"""The desk: organizations, customers, agents, conversations, matching, assignment, events."""
