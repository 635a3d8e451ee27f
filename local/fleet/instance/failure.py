"""What an installer prints when it fails, as an agent passes it on in `detail`: several lines, the error last."""

_OUTPUT = """\
+ python -m pip install --no-deps demo-server=={version}
Collecting demo-server=={version}
  Downloading demo_server-{version}-py3-none-any.whl (18.4 MB)
Installing collected packages: demo-server
ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device: '/opt/{instance}/lib'
upgrade of {instance} to {version} failed: exit status 1; the instance is stopped"""


def output_of_failed_upgrade(instance: str, version: str) -> str:
    """The last lines of the output."""
    return _OUTPUT.format(instance=instance, version=version)
