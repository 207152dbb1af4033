"""Engines that train populations: native, Numba, NumPy, behind one protocol and blind to one another."""
