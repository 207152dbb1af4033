"""What every part may use: argument checks, growing columns, random numbers, files, memory. Knows only `errors`."""
