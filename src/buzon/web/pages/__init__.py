"""One module for each noun: its pages, in the order in which a person meets them."""
