"""A training loop in PyTorch as the objective: a paused model continues with its own weights and optimiser.

The resource is epochs. Between two rungs the search keeps the state of a trial: the model and its optimiser.
"""

from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import hyperband as hb

try:
    import torch
except ImportError:
    print("skipped: torch is not installed (pip install torch)")
    raise SystemExit from None

torch.set_num_threads(1)  # the networks are too small for several threads
X, y = load_digits(return_X_y=True)
parts = train_test_split(torch.tensor(X / 16, dtype=torch.float32), torch.tensor(y), test_size=0.3, random_state=0)
X_train, X_valid, y_train, y_valid = parts

space = hb.Space(
    {
        "width": hb.Int(8, 128, log=True),
        "optimizer": hb.Choice(["adam", "sgd"]),
        "rate": hb.Float(1e-4, 1.0, log=True),
        "momentum": hb.Float(0.0, 0.99),
        "batch": hb.Choice([32, 64, 128], ordered=True),
    },
    conditions=[hb.When("momentum", "optimizer", "sgd")],  # adam has none
)


def initialise(c):
    """A new model with its optimiser; a configuration always gets the same one."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(64, c["width"]), torch.nn.ReLU(), torch.nn.Linear(c["width"], 10))
    if c["optimizer"] == "adam":
        optimizer = torch.optim.Adam(model.parameters(), lr=c["rate"])
    else:
        optimizer = torch.optim.SGD(model.parameters(), lr=c["rate"], momentum=c["momentum"])
    return {"model": model, "optimizer": optimizer, "epoch": 0}


def objective(c, epochs, state):
    """Train until the model has had ``epochs`` epochs in all; ``state`` is what this trial returned last."""
    state = state or initialise(c)
    model, optimizer = state["model"], state["optimizer"]
    for epoch in range(state["epoch"], epochs):
        order = torch.randperm(len(X_train), generator=torch.Generator().manual_seed(epoch))
        for rows in order.split(c["batch"]):
            optimizer.zero_grad()
            torch.nn.functional.cross_entropy(model(X_train[rows]), y_train[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        scores = model(X_valid)
        loss = torch.nn.functional.cross_entropy(scores, y_valid).item()  # NaN when training diverged: ranked last
        accuracy = (scores.argmax(dim=1) == y_valid).float().mean().item()
    return hb.Evaluation(loss, state={**state, "epoch": epochs}, metrics={"accuracy": accuracy})


result = hb.minimize(objective, space, hb.Hyperband(max_resource=27, eta=3), seed=0, unit="epochs")
print(result)
print(f"the best has accuracy {result.best.metrics['accuracy']:.4f} after {result.best.resource} epochs")
