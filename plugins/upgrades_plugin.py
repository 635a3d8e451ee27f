"""The upgrade API and its pages, for a project that copies include/ (see include/upgrade_orchestrator/plugin.py)."""

from upgrade_orchestrator.plugin import plugin_unless_installed

UpgradesPlugin = plugin_unless_installed()
