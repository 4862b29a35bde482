/** Asks the peer for something, again and again if need be, and keeps the last answer. */

import { useEffect, useRef, useState } from "preact/hooks";
import { readsAs } from "./client.ts";

/** What is known of an answer. */
export interface Answer<T> {
  data: T | undefined;
  error: Error | undefined;
  /** Asks again, now. */
  again: () => void;
}

/**
 * Runs `ask` whenever `key` changes, and every `everyMs` while the page is visible. The old answer to the same
 * key stays while a new one is awaited or fails.
 */
export function useQuery<T>(
  key: string,
  ask: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
): Answer<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: Error }>({ key });
  const [round, setRound] = useState(0);
  // Another reader may see more, or less.
  const reader = readsAs.value;
  const latest = useRef(ask);
  latest.current = ask;
  useEffect(() => {
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const turn = async () => {
      try {
        const data = await latest.current(abort.signal);
        if (!abort.signal.aborted) setState({ key, data });
      } catch (error) {
        if (abort.signal.aborted) return;
        const failed = error instanceof Error ? error : new Error(String(error));
        setState((old) => ({ ...(old.key === key ? old : { key }), error: failed }));
      }
      if (everyMs !== undefined && !abort.signal.aborted) timer = setTimeout(wait, everyMs);
    };
    const wait = () => {
      if (!document.hidden) return void turn();
      document.addEventListener("visibilitychange", () => void turn(), { once: true, signal: abort.signal });
    };
    void turn();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [key, everyMs, round, reader]);
  const current = state.key === key ? state : undefined;
  return { data: current?.data, error: current?.error, again: () => setRound((n) => n + 1) };
}
