"""Other ways to train the same networks on a GPU, one file each."""
