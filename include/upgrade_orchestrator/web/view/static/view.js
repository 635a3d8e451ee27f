import { follow } from "./live.js";
import { steer } from "./steer.js";
import { tell } from "./times.js";

tell();
setInterval(() => document.hidden || tell(), 1000);
document.addEventListener("toggle", (event) => tell(event.target), true);
if (document.getElementById("part").dataset.api) steer();
follow();
