"""`python -m chatapp` is the same as the command `chatapp`."""

from chatapp.command import main

main()
