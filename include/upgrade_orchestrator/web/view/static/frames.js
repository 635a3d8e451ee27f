// Links to Airflow's own pages. Within Airflow these pages stand in a frame that may not lead the tab elsewhere, and
// the link would open Airflow within Airflow: the click is handed to Airflow's page, which is of the same origin.
// Loaded before the page is drawn: a link that somebody clicks at once must lead out as well.
"use strict";
(() => {
  if (window.parent === window) return;
  const handOver = (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || event.button > 1) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    outside.href = link.href;
    if (event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey) outside.target = "_blank";
    outside.rel = "noopener";
    window.parent.document.body.append(outside);
    outside.click();
    outside.remove();
  };
  for (const kind of ["click", "auxclick"]) document.addEventListener(kind, handOver);
})();
