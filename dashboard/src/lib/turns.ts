/** Doing something again and again, one turn after the other. */

/** How long until what failed for a while is tried again, ms. */
const RETRY_MS = 2000;

/** What goes on until it is ended. */
export interface Turns {
  /** One more turn, after the one under way: that may have begun before whatever is news. */
  again: () => void;
  /** Ends them, and gives up the one under way. */
  end: () => void;
}

/** Whether what failed may succeed by itself later. */
const isTemporary = (error: unknown) => error instanceof Error && "isTemporary" in error && error.isTemporary === true;

/**
 * Does `act` now, every `everyMs` from the end of a turn on while the page is visible, when there are news, and after a
 * temporary failure. No turn is given up for the next, so that news which come faster than answers starve nobody.
 */
export function turns(act: (signal: AbortSignal) => Promise<unknown>, everyMs?: number): Turns {
  const abort = new AbortController();
  const { signal } = abort;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let [busy, asked] = [false, false];
  const turn = async () => {
    clearTimeout(timer);
    [busy, asked] = [true, false];
    const waitMs = await act(signal).then(() => everyMs, (error) => everyMs ?? (isTemporary(error) ? RETRY_MS : undefined));
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
