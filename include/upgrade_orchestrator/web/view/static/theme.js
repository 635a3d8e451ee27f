// Runs before the page is drawn: applies the colour mode of Airflow's UI, which is in this origin's local storage, and
// in Airflow's frame the greys and the brand of its theme. Without them, the style sheets use the system's mode and
// Airflow's own colours.
"use strict";
(() => {
  const root = document.documentElement;
  const applyMode = () => {
    let chosen = null;
    try {
      chosen = localStorage.getItem("theme");
    } catch {
      // storage may be forbidden: use the system's mode
    }
    if (chosen === "dark" || chosen === "light") root.dataset.theme = chosen;
    else delete root.dataset.theme;
  };
  const SHADES = [50, 100, 200, 300, 400, 500, 600, 700, 800, 900, 950];
  const COLOURS = ["black", ...["gray", "brand"].flatMap((each) => SHADES.map((shade) => `${each}-${shade}`))];
  const takeColours = () => {
    if (window.parent === window) return;
    root.classList.add("framed");
    const theirs = getComputedStyle(window.parent.document.documentElement);
    for (const name of COLOURS) {
      const value = theirs.getPropertyValue(`--chakra-colors-${name}`).trim();
      if (value) root.style.setProperty(`--${name}`, value);
    }
  };
  applyMode();
  addEventListener("storage", applyMode);
  try {
    takeColours();
  } catch {
    // a frame of another origin: not Airflow's
  }
})();
