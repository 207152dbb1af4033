"""Ask and tell: the search says what to evaluate next, and your own loop does it, in any order and on any machine."""

import hyperband as hb

space = hb.Space({"x": hb.Float(-1.0, 1.0), "y": hb.Float(-1.0, 1.0)})
run = hb.Hyperband(max_resource=27, eta=3).start(space, seed=0)

while not run.done:
    jobs = run.ask(8)  # up to eight at a time, from all brackets
    for job in reversed(jobs):  # the order does not matter
        # A job continues trial `job.trial` from `job.previous` to `job.resource`, both counted from zero.
        c = job.configuration
        loss = c["x"] ** 2 + c["y"] ** 2 + 1 / job.resource
        run.tell(job, loss, metrics={"norm": abs(c["x"]) + abs(c["y"])}, cost=job.resource - job.previous)

print(f"{run.n_evaluations} evaluations of {run.n_configurations} configurations, {run.spent:g} spent")
print(f"best: loss {run.best.loss:.4f} at {dict(run.best.configuration)}")
