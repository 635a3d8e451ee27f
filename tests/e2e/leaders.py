"""The first process of each component that runs."""

from local.stack.stack import Stack


def leaders(stack: Stack) -> dict[str, int]:
    """Its id, by the component's name: another one tells that the component was started anew."""
    return {name: leader.pid for name in stack.running() if (leader := stack.leader(name))}
