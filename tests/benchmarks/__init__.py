"""Measurements, run by hand: each prints its figures beside a floor taken in the same run."""
