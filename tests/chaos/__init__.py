"""Nothing lost, nothing twice, nothing deleted too early: trials under every fault, counted.

`python -m tests.chaos` runs them in named parts that can be resumed, and prints a table; a subset
of each part runs with every `make test`.

    trial = a seed ─▶ a shop, its mail, a fault ─▶ collect, heal, collect ─▶ what the oracle saw
"""
