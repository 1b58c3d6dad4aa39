"""One page about a network, to be read in a browser."""
