"""`Population`: a thousand networks of a thousand shapes on one data set, paused and continued at any step."""

import time

import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

import hyperband as hb

X, y = load_digits(return_X_y=True)
X_train, X_test, y_train, y_test = train_test_split((X / 16).astype(np.float32), y, random_state=0)

rng = np.random.default_rng(0)
architectures = [
    hb.Architecture(
        widths=rng.integers(4, 33, size=rng.integers(0, 3)).tolist(),
        activation=str(rng.choice(["relu", "tanh", "gelu"])),
        learning_rate=float(10 ** rng.uniform(-3.5, -1.5)),
        batch_size=int(rng.choice([32, 64, 128])),
    )
    for _ in range(1000)
]

population = hb.Population(architectures, X_train, y_train, validation=(X_test, y_test), seed=0, epochs=9)

start = time.perf_counter()
population.train(until=1)  # every member trains for one epoch,
best = np.argsort(population.progress().best_loss)[:100]
population.train(best, until=9)  # and the best hundred continue from there
seconds = time.perf_counter() - start

progress = population.progress(best)
winner = best[np.argmin(progress.best_loss)]
_, error = population.evaluate(int(winner), X_test, y_test, weights="best")
print(f"{1000 + 100 * 8} network-epochs in {seconds:.2f} s on {population.backend}")
print(f"best: {architectures[winner].widths} {architectures[winner].activation}, accuracy {1 - error[0]:.4f}")
