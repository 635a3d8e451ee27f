"""Drivers: how a deployment's instances are reached."""
