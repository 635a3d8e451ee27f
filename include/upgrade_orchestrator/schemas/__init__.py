"""Request and response bodies of the REST API (Pydantic models), and the upgrade request as a form.

Input: JSON and query parameters, which are checked strictly. Output: values of the domain, and the representations of
the use cases' results. Used by ``web``, ``flow.request`` and ``cli.registry``.
"""
