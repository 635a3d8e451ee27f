"""The first process of each component that runs."""

from local.stack.stack import Stack


def leaders(stack: Stack) -> dict[str, int]:
    """Its process id, by the component's name: another id shows that the component was restarted."""
    return {name: leader.pid for name in stack.running() if (leader := stack.leader(name))}
