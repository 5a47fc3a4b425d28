"""Measurements, run by `make bench`. Ratios of rounds run in turn, in one run on one machine."""
