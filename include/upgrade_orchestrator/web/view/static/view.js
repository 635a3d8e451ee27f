import { follow } from "./live.js";
import { steer } from "./steer.js";
import { offerExactTimes, showTimes } from "./times.js";

offerExactTimes();
showTimes();
setInterval(() => document.hidden || showTimes(), 1000);
document.addEventListener("toggle", (event) => showTimes(event.target), true);
if (document.getElementById("part").dataset.api) steer();
follow();
