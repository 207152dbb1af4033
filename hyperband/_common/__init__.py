"""Shared by every room: argument checks, growing columns, random numbers, files, memory. Imports only `errors`."""
