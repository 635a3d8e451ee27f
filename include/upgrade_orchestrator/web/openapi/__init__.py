"""The OpenAPI 3.1 description of the API (``description``) and the page that shows it (``reference_page``)."""
