"""Training and prediction on processors: network-epochs a second, beside other ways to train the same networks."""
