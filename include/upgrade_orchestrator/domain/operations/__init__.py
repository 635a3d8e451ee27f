"""What operators see and may do: available actions, impact of commands, permissions and statistics.

Input: an execution and the caller's permissions. Output: data for the API and the status view. ``available_actions``
lists the commands allowed now, ``impact`` describes what each would do, ``permissions`` maps commands and roles.
"""
