"""The rules of the pre-upgrade checks and of the verification after an upgrade.

Input: the request, registry entries and the fleet as observed. Output: ``Findings`` with blockers and warnings, which
``checks.verdict`` turns into a ``CheckResult``. ``admission.admit`` decides by all results whether the work begins.
"""
