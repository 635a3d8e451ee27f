"""Drivers: how a deployment's instances are reached (port ``Fleets``).

Input: a deployment with its driver and Airflow connection. Output: a ``FleetDriver`` for its fleet. The entry point
is ``drivers.ConnectionFleets.of``. ``agent`` speaks the fleet agent protocol over the HTTP sessions of ``client``;
``hook`` is the connection type in Airflow's UI, with its *Test* button.
"""
