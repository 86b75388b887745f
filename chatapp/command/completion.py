"""`chatapp completion`: what a shell needs to complete commands, options and files."""

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion for SHELL. For bash: eval "$(chatapp completion bash)" in ~/.bashrc."""
    complete = get_completion_class(shell)
    assert complete is not None
    click.echo(complete(context.find_root().command, {}, "chatapp", "_CHATAPP_COMPLETE").source())
