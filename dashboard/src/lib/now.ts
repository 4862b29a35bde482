/** The browser's clock as a signal, for "12 s ago". */

import { signal } from "./state.ts";

export const now = signal(Date.now());
setInterval(() => {
  if (!document.hidden) now.value = Date.now();
}, 1000);
