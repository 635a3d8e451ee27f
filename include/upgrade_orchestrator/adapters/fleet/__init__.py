"""Drivers: how a deployment's instances are reached (port ``Fleets``).

In comes a deployment with its driver and Airflow connection; out comes a ``FleetDriver`` for its fleet. The front door
is ``drivers.ConnectionFleets.of``. ``agent`` speaks the fleet agent protocol over the HTTP sessions of ``client``;
``hook`` is the connection type in Airflow's UI, with its *Test* button.
"""
