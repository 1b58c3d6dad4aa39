"""`python -m lpnet` is the `lpnet` command."""

from lpnet.cli import main

main()
