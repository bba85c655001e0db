"""Buzón collects the e-mail of a shop's customers and puts it in front of the right person."""
