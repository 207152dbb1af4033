"""Who calls the objective: this thread (`here`), threads, or processes.

``concurrent.futures`` and joblib were not enough: they can neither stop a call that hangs nor send a task to the worker
that has its state, and one worker that dies breaks the whole pool.
"""
