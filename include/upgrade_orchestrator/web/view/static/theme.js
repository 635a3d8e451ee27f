// Before anything is drawn: the colour mode of Airflow's UI, which keeps it in this origin's storage; without it the
// system's, which the style sheet knows by itself.
"use strict";
(() => {
  const apply = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme");
    } catch {
      // storage may be forbidden: the system's mode then
    }
    if (chosen === "dark" || chosen === "light") document.documentElement.dataset.theme = chosen;
    else delete document.documentElement.dataset.theme;
  };
  apply();
  addEventListener("storage", apply);
})();
