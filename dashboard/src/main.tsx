/** The dashboard of a peer: what its network agreed on, and the means to check it. */

import { render } from "preact";
import { App, fetchAhead } from "./app.tsx";
import { start as listen } from "./lib/feed.ts";
import { preload } from "./lib/names.ts";
import { start as look } from "./lib/network.ts";
import { start as route } from "./router.ts";

route();
look();
preload();
const root = document.getElementById("app");
if (root) render(<App />, root);
listen();
fetchAhead();
