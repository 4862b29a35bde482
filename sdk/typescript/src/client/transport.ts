import { ConnectionError, FormError, ProblemError, TimeoutError, parseProblem } from './problem.ts';

/** Header of answers: the height they were read at. */
const HEIGHT_HEADER = 'althing-height';
/** Header of requests: the lowest height to be read at. */
const MIN_HEIGHT_HEADER = 'althing-min-height';
/** Longest answer read, bytes. */
const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** How long an answer may take unless said otherwise, milliseconds. */
export const ANSWER_TIMEOUT_MS = 15_000;

/** How to reach a peer. */
export interface ClientOptions {
  /** What sends requests; the global `fetch` if absent. */
  fetch?: typeof fetch;
  /** How long an answer may take, milliseconds. */
  timeoutMs?: number;
}

/** One request's own wishes. */
export interface RequestOptions {
  /** Gives the request up. */
  signal?: AbortSignal;
}

/** What an operator posts. */
export interface Act {
  /** Path below the peer's address. */
  path: string;
  /** What is posted. */
  body: Uint8Array;
}

/** A request as the transport sends it. */
export interface Asked extends RequestOptions {
  /** Path below the peer's address, such as `/v1/status`. */
  path: string;
  /** Parameters; absent ones are left out. */
  query?: object;
  /** What is posted. */
  body?: { type: string; bytes: Uint8Array };
  /** How much longer than usual the answer may take, milliseconds. */
  waitMs?: number;
  /** Whether to ask for an answer no older than this client's own writes; yes if absent. */
  readsOwnWrites?: boolean;
  /** Further headers. */
  headers?: Record<string, string>;
  /** Whether it is an act of an operator, which needs a token of its own. */
  acts?: boolean;
  /** Statuses that are answers and not problems, beside 200 to 299. */
  accepted?: readonly number[];
}

/** Sends requests to one peer, and remembers the heights that it answered from. */
export class Transport {
  /** Address of the peer, without a slash at the end. */
  readonly base: string;
  /** The highest height the peer has answered from; 0 before the first answer. */
  height = 0;
  readonly #fetch: typeof fetch;
  readonly #timeoutMs: number;
  #ownHeight = 0;

  constructor(url: string, options: ClientOptions = {}) {
    if (!/^https?:\/\//.test(url)) throw new TypeError(`\`${url}\` is not an address such as http://127.0.0.1:4464`);
    this.base = url.replace(/\/+$/, '');
    // Bound, since browsers refuse a fetch that is called as a method of something else.
    this.#fetch = options.fetch ?? fetch.bind(globalThis);
    this.#timeoutMs = options.timeoutMs ?? ANSWER_TIMEOUT_MS;
  }

  /** Gives the token of whoever reads, or of an operator for one act, if it says who it is. */
  token: ((act?: Act) => string) | undefined;

  /** From now on, reads from this height or later. */
  readFrom(height: number): void {
    this.#ownHeight = Math.max(this.#ownHeight, height);
  }

  /** The URL of a request. */
  url({ path, query = {} }: Asked): string {
    const parameters = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
    const text = new URLSearchParams(parameters.map(([name, value]) => [name, String(value)])).toString();
    return this.base + path + (text && `?${text}`);
  }

  /** Sends a request and gives the answer of a peer that did not refuse; its body is still to be read. */
  async open(asked: Asked): Promise<Response> {
    const url = this.url(asked);
    const afterMs = this.#timeoutMs + (asked.waitMs ?? 0);
    const headers: Record<string, string> = { ...asked.headers };
    if (this.#ownHeight > 0 && asked.readsOwnWrites !== false) headers[MIN_HEIGHT_HEADER] = String(this.#ownHeight);
    if (this.token) headers['authorization'] = `Bearer ${this.token(asked.acts ? { path: asked.path, body: asked.body?.bytes ?? new Uint8Array() } : undefined)}`;
    if (asked.body) headers['content-type'] = asked.body.type;
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(new TimeoutError(url, afterMs)), afterMs);
    const signal = asked.signal ? AbortSignal.any([asked.signal, stop.signal]) : stop.signal;
    const init: RequestInit = { headers, signal, redirect: 'error', cache: 'no-store' };
    if (asked.body) Object.assign(init, { method: 'POST', body: asked.body.bytes });
    try {
      return await this.#checked(await this.#fetch(url, init), url, asked.accepted ?? [], signal);
    } catch (error) {
      throw failure(error, url, asked.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a request and reads the whole answer. */
  async bytes(asked: Asked): Promise<Uint8Array> {
    const url = this.url(asked);
    const afterMs = this.#timeoutMs + (asked.waitMs ?? 0);
    // Of its own, since an answer can begin in time and then never end.
    const stop = new AbortController();
    const timer = setTimeout(() => stop.abort(new TimeoutError(url, afterMs)), afterMs);
    const signal = asked.signal ? AbortSignal.any([asked.signal, stop.signal]) : stop.signal;
    try {
      return await readAll(await this.open({ ...asked, signal }), url, signal);
    } catch (error) {
      throw failure(error, url, asked.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  /** Sends a request and reads the answer as JSON. */
  async json<T>(asked: Asked): Promise<T> {
    const text = new TextDecoder().decode(await this.bytes(asked));
    try {
      return JSON.parse(text) as T;
    } catch {
      throw new FormError(this.url(asked), 'it is not JSON');
    }
  }

  async #checked(answer: Response, url: string, accepted: readonly number[], signal: AbortSignal): Promise<Response> {
    const height = Number(answer.headers.get(HEIGHT_HEADER));
    if (Number.isSafeInteger(height)) this.height = Math.max(this.height, height);
    if (answer.ok || accepted.includes(answer.status)) return answer;
    const problem = parseProblem(new TextDecoder().decode(await readAll(answer, url, signal)));
    if (problem) throw new ProblemError(problem, url);
    throw new FormError(url, `status ${answer.status} without a problem; is this a peer?`);
  }
}

async function readAll(answer: Response, url: string, signal: AbortSignal): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of chunksOf(answer, signal)) {
    length += chunk.length;
    if (length > ANSWER_BYTES_MAX) throw new FormError(url, `more than ${ANSWER_BYTES_MAX} bytes`);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(length);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}

/** The chunks of an answer's body; leaving the loop ends the connection, and so does the signal. */
export async function* chunksOf(answer: Response, signal: AbortSignal): AsyncGenerator<Uint8Array, void> {
  // Not `for await` over the body itself: browsers do not all offer that.
  const reader = answer.body?.getReader();
  if (!reader) return;
  const cancel = (): void => void reader.cancel().catch(() => undefined);
  signal.addEventListener('abort', cancel, { once: true });
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    // What was given up ends like what is complete.
    signal.throwIfAborted();
  } finally {
    signal.removeEventListener('abort', cancel);
    await reader.cancel().catch(() => undefined);
  }
}

/** An error of `fetch` as one of ours; the caller's own abort stays what it is. */
export function failure(error: unknown, url: string, signal: AbortSignal | undefined): unknown {
  if (signal?.aborted) return signal.reason;
  const known = [ConnectionError, FormError, ProblemError, TimeoutError].some((kind) => error instanceof kind);
  return known ? error : new ConnectionError(url, error);
}
