/** The peer that serves this page, and whether it answers. */

import { signal } from "./state.ts";
import { Client, ProblemError } from "althing/client";

/** How long an answer may take, ms: the peer itself bounds to 5 s whatever waits for something. */
const TIMEOUT_MS = 12_000;

/** Whether the peer answers, and since when. */
export const contact = signal({ up: true, since: Date.now() });

function note(up: boolean) {
  if (contact.peek().up !== up) contact.value = { up, since: Date.now() };
}

async function noted(input: RequestInfo | URL, init?: RequestInit): Promise<Response> {
  try {
    const response = await fetch(input, init);
    note(true);
    return response;
  } catch (error) {
    // Whoever gave up its request learnt nothing about the peer; a time limit is the peer's silence.
    const reason: unknown = init?.signal?.reason;
    if (!init?.signal?.aborted || (reason instanceof Error && reason.name === "TimeoutError")) note(false);
    throw error;
  }
}

/** The peer that serves this page. */
export const peer = new Client(location.origin, { fetch: noted, timeoutMs: TIMEOUT_MS });

/** Who is said to read with each request, and what for; nobody unless the user wants it. */
export const readsAs = signal<{ entity: string; purpose: string } | undefined>(undefined);

/** Whether the peer did not say because it does not know who asks. */
export function isUnknownReader(error: Error): boolean {
  return readsAs.value === undefined && error instanceof ProblemError && [401, 403].includes(error.problem.status);
}

/** The answer, or nothing if the peer says that there is no such thing. */
export async function maybe<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (error instanceof ProblemError && error.problem.status < 500) return undefined;
    throw error;
  }
}

/** What went wrong, and what to do about it. */
export function explained(error: Error): { what: string; advice: string } {
  if (error instanceof ProblemError) return { what: error.problem.detail, advice: error.problem.advice ?? "" };
  if (!contact.peek().up) return { what: "The peer that serves this page does not answer.", advice: "It is asked again every second." };
  return { what: error.message, advice: "" };
}
