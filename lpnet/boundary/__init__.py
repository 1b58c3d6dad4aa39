"""The decision boundary of a ReLU network, and which half-spaces it is made of."""
