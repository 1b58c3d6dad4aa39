"""From sign networks back to ReLUs: [PS16] Lemmas 1 to 3 and Theorem 3."""
