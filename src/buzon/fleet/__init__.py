"""Who runs what and when: the dispatcher."""
