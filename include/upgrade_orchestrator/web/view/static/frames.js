// Links to Airflow's own pages. Airflow shows our pages in a frame that must not navigate the tab, and a normal link
// would open Airflow inside Airflow. So the click is repeated in Airflow's page, which has the same origin.
// Loaded before the page is drawn, so that it works for the first click.
"use strict";
(() => {
  if (window.parent === window) return;
  const clickOutside = (event) => {
    const link = event.target.closest("a[data-airflow]");
    if (!link || event.button > 1) return;
    event.preventDefault();
    const outside = window.parent.document.createElement("a");
    outside.href = link.dataset.airflow === "reload" ? window.parent.location.href : link.href;
    if (event.button === 1 || event.ctrlKey || event.metaKey || event.shiftKey) outside.target = "_blank";
    outside.rel = "noopener";
    window.parent.document.body.append(outside);
    outside.click();
    outside.remove();
  };
  for (const kind of ["click", "auxclick"]) document.addEventListener(kind, clickOutside);
})();
