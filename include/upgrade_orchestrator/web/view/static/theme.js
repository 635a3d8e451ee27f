// Runs before the page is drawn: applies the colour mode of Airflow's UI, which is in this origin's local storage.
// Without it, the style sheet uses the system's mode.
"use strict";
(() => {
  const apply = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme");
    } catch {
      // storage may be forbidden: use the system's mode
    }
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
  };
  apply();
  addEventListener("storage", apply);
})();
