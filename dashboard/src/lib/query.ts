/** Asks the peer for something, again and again if need be, and keeps the last answer. */

import { useEffect, useRef, useState } from "preact/hooks";
import { readsAs } from "./client.ts";
import { turns } from "./turns.ts";

/** What is known of an answer. */
export interface Answer<T> {
  data: T | undefined;
  error: Error | undefined;
  /** The last answer, be it to an earlier key: what there is to show meanwhile. */
  last: T | undefined;
  /** Asks again. */
  again: () => void;
}

/**
 * Runs `ask` whenever `key` changes, and every `everyMs` while the page is visible. The old answer to the same
 * key stays while a new one is awaited or fails. When `news` changes, it asks again once it has the answer under way.
 */
export function useQuery<T>(
  key: string,
  ask: (signal: AbortSignal) => Promise<T>,
  everyMs?: number,
  news?: unknown,
): Answer<T> {
  const [state, setState] = useState<{ key: string; data?: T; error?: Error; last?: T | undefined }>({ key });
  // Another reader may see more, or less.
  const reader = readsAs.value;
  const latest = useRef(ask);
  latest.current = ask;
  const again = useRef(() => {});
  const heard = useRef(news);
  useEffect(() => {
    const asking = turns(async (signal) => {
      try {
        const data = await latest.current(signal);
        if (!signal.aborted) setState({ key, data, last: data });
      } catch (error) {
        const failed = error instanceof Error ? error : new Error(String(error));
        if (!signal.aborted) setState((old) => (old.key === key ? { ...old, error: failed } : { key, error: failed, last: old.last }));
        throw error;
      }
    }, everyMs);
    again.current = asking.again;
    return asking.end;
  }, [key, everyMs, reader]);
  useEffect(() => {
    if (heard.current !== news) again.current();
    heard.current = news;
  }, [news]);
  const current = state.key === key ? state : undefined;
  return { data: current?.data, error: current?.error, last: state.last, again: () => again.current() };
}
