"""[PS16] Theorem 3: the ReLU network nearest to a sign network in all its hidden-layer scores."""
