"""Pictures of the status view's pages in every state, without a stack: `make screenshots`.

The pages are rendered with the real templates from values in memory (`scenes`), and loaded into Chromium with the real
scripts, style sheets and headers (`lab`).
"""
