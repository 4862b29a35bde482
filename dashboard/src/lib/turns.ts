/** Doing something again and again, one turn after the other. */

import { ProblemError, RequestError } from "althing/client";

/** How long until what failed for a while is tried again, and until what was refused is, at most and where it is for this page not to see, ms. */
const [RETRY_MS, REFUSED_MS] = [2000, 60_000];

/** What goes on until it is ended. */
export interface Turns {
  /** One more turn, after the one under way: that may have begun before whatever is news. */
  again: () => void;
  /** Ends them, and gives up the one under way. */
  end: () => void;
}

/** How long to wait after a failure, of so many in a row; for ever if nothing will change by itself. */
function afterFailure(error: unknown, everyMs: number | undefined, failures: number): number | undefined {
  if (error instanceof ProblemError && !error.isTemporary) return everyMs && ([401, 403].includes(error.problem.status) ? REFUSED_MS : Math.min(REFUSED_MS, everyMs * 2 ** failures));
  return everyMs ?? (error instanceof RequestError && error.isTemporary ? RETRY_MS : undefined);
}

/**
 * Does `act` now, every `everyMs` from the end of a turn on while the page is visible, when there are news, and after a
 * temporary failure; of what is not there, each time after twice as long. No turn is given up for the next, so that news which come faster than answers starve nobody.
 */
export function turns(act: (signal: AbortSignal) => Promise<unknown>, everyMs?: number): Turns {
  const abort = new AbortController();
  const { signal } = abort;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let [busy, asked] = [false, false];
  let failures = 0;
  const turn = async () => {
    clearTimeout(timer);
    [busy, asked] = [true, false];
    const waitMs = await act(signal).then(() => ((failures = 0), everyMs), (error: unknown) => afterFailure(error, everyMs, ++failures));
    busy = false;
    if (signal.aborted) return;
    if (asked) next();
    else if (waitMs !== undefined) timer = setTimeout(next, waitMs);
  };
  const next = () => {
    if (signal.aborted) return;
    if (document.hidden) asked = true;
    else void turn();
  };
  // Whoever comes back sees what is, not what was when it left.
  const look = () => asked && !busy && !document.hidden && void turn();
  document.addEventListener("visibilitychange", look, { signal });
  void turn();
  return {
    again: () => {
      if (busy) asked = true;
      else next();
    },
    end: () => {
      abort.abort();
      clearTimeout(timer);
    },
  };
}
