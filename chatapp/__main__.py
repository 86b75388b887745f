"""`python -m chatapp` is the same as the command `chatapp`."""

from chatapp.cli import main

main()
