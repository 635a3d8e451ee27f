// The component's page: times, and what each fleet says now, asked one after the other once the page is shown.
import { showTimes } from "./times.js";

showTimes();
setInterval(() => document.hidden || showTimes(), 1000);

for (const cell of document.querySelectorAll("[data-fleet]")) {
  const link = [...cell.childNodes];
  cell.textContent = "asking …";
  try {
    const response = await fetch(cell.dataset.fleet, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await response.text(), "text/html");
    const found = page.getElementById("look");
    cell.replaceChildren(...(response.ok && found ? [...found.childNodes] : link));
  } catch {
    cell.replaceChildren(...link); // a plain link to the same page
  }
}
