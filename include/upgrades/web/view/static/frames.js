// Links to Airflow's own pages. Within Airflow these pages stand in a frame that may not lead the tab elsewhere, and
// the link would open Airflow within Airflow: the click is handed to Airflow's page, which is of the same origin.

export function leadOut() {
  if (window.parent === window) return;
  for (const kind of ["click", "auxclick"]) document.addEventListener(kind, handOver);
}

function handOver(event) {
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
}
