"""What calls the objective: this thread (`inline`), threads, or processes.

``concurrent.futures`` and joblib are not enough: they can neither stop a call that hangs nor send a task to the worker
that holds its state, and one worker that dies breaks the whole pool.
"""
