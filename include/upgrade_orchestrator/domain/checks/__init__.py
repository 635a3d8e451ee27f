"""The rules of the five pre-upgrade checks and of the verification after an upgrade.

In come the request, registry entries and the fleet as observed; out come ``Findings`` with blockers and warnings, which
``checks.verdict`` turns into a ``CheckResult``. ``admission.admit`` decides by all results whether the work begins.
"""
