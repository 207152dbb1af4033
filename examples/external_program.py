"""An external program as the objective: parameters go out on its command line, the loss comes back in its output.

The program here is a few lines of Python in a temporary folder; a simulator or a compiler would be called the same way.
It keeps a checkpoint, so a promoted trial continues where it was paused. A crash, a hang or unreadable output costs one
trial: the objective raises, and the search records the reason and continues.
"""

import json
import subprocess
import sys
import tempfile
import warnings
from pathlib import Path

import hyperband as hb

PROGRAM = """
import json, pathlib, sys
damping, step, until, file = float(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), pathlib.Path(sys.argv[4])
if step > 0.8:
    sys.exit("the step is too large")
at, x, v = json.loads(file.read_text()) if file.exists() else (0, 1.0, 0.0)
while at < until:  # a spring that should come to rest
    v -= step * (x + damping * v)
    x += step * v
    at += 1
file.write_text(json.dumps([at, x, v]))
print("steps:", at)
print("result:", json.dumps({"energy": x * x + v * v}))
"""

space = hb.Space({"damping": hb.Float(0.01, 10.0, log=True), "step": hb.Float(0.01, 1.0, log=True)})

with tempfile.TemporaryDirectory() as name:
    folder = Path(name)
    program = folder / "spring.py"
    program.write_text(PROGRAM)

    def objective(configuration, steps, state):
        """The state is the name of the checkpoint; the first call of a trial chooses it."""
        checkpoint = state or str(folder / f"{len(list(folder.iterdir()))}.json")
        values = [str(configuration["damping"]), str(configuration["step"])]
        done = subprocess.run(
            [sys.executable, "-S", str(program), *values, str(steps), checkpoint],
            capture_output=True,
            text=True,
            timeout=30,  # a program that hangs is a failed trial too
        )
        if done.returncode != 0:
            raise RuntimeError(f"the program failed: {done.stderr.strip()}")
        lines = [line for line in done.stdout.splitlines() if line.startswith("result:")]
        if not lines:
            raise RuntimeError(f"no line 'result:' in the output: {done.stdout[:200]!r}")
        return hb.Evaluation(json.loads(lines[-1].removeprefix("result:"))["energy"], state=checkpoint)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # failures are summarised below
        result = hb.minimize(
            objective, space, hb.Hyperband(max_resource=81, eta=3, min_resource=3), seed=0, unit="steps"
        )

print(result)
reasons = {trial: why.splitlines()[0] for trial, why in result.failures.items()}  # the other lines are the traceback
for reason in sorted(set(reasons.values())):
    trials = [trial for trial, why in reasons.items() if why == reason]
    print(f"{len(trials)} trials failed: {reason}")
