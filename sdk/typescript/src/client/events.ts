// Events as they happen (Server-Sent Events), without a gap over broken connections.

import type { Cursor, EventRecord, EventsQuery } from './model/index.ts';
import { FormError, RequestError } from './problem.ts';
import { chunksOf, failure, type Asked, type RequestOptions, type Transport } from './transport.ts';

/** Longest event read, characters. */
const EVENT_CHARS_MAX = 64 * 1024;
/** A peer says every 15 s that it is there; one that is silent for three times that is not. */
const SILENCE_MAX_MS = 45_000;
/** First wait before the next attempt to connect unless said otherwise, and the longest, milliseconds. */
const RETRY_MS = 500;
const RETRY_MS_MAX = 15_000;

/** How to follow events. */
export interface EventsOptions extends RequestOptions {
  /** How long to wait before the first further attempt to connect, milliseconds; then twice as long each time. */
  retryMs?: number;
  /** Told when the connection opens, and when it is lost and tried again. */
  onConnection?: (state: 'open' | 'lost', why?: RequestError) => void;
}

/**
 * Events from a cursor on, without end: leave the loop, or abort the signal, to stop. A connection
 * that breaks is opened again behind the last event (`Last-Event-ID`), so none is missed or given
 * twice. Ends with an error only if the peer refuses the request as such.
 */
export async function* follow(transport: Transport, query: EventsQuery, options: EventsOptions = {}): AsyncGenerator<EventRecord, void> {
  let cursor: Cursor | undefined = query.after;
  const retryMs = options.retryMs ?? RETRY_MS;
  let waitMs = retryMs;
  for (;;) {
    let why: unknown;
    try {
      for await (const record of connect(transport, query, cursor, options)) {
        cursor = record.cursor;
        waitMs = retryMs;
        yield record;
      }
    } catch (error) {
      why = error;
    }
    if (options.signal?.aborted) return;
    if (why !== undefined && !(why instanceof RequestError && why.isTemporary)) throw why;
    options.onConnection?.('lost', why instanceof RequestError ? why : undefined);
    await sleep(waitMs, options.signal);
    if (options.signal?.aborted) return;
    waitMs = Math.min(2 * waitMs, RETRY_MS_MAX);
  }
}

async function* connect(transport: Transport, query: EventsQuery, cursor: Cursor | undefined, options: EventsOptions): AsyncGenerator<EventRecord, void> {
  const asked: Asked = { path: '/v1/events', query };
  if (cursor !== undefined) asked.headers = { 'last-event-id': cursor };
  const url = transport.url(asked);
  for await (const data of listen(transport, asked, options)) yield parse(data, url);
}

/** The data of the events that a path sends, until it ends or is silent for too long. */
export async function* listen(transport: Transport, asked: Asked, options: EventsOptions = {}): AsyncGenerator<string, void> {
  const silence = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, silence.signal]) : silence.signal;
  const url = transport.url(asked);
  const answer = await transport.open({ ...asked, headers: { accept: 'text/event-stream', ...asked.headers }, signal });
  options.onConnection?.('open');
  const parser = new EventParser();
  const decoder = new TextDecoder();
  let timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
  try {
    for await (const chunk of chunksOf(answer, signal)) {
      clearTimeout(timer);
      timer = setTimeout(() => silence.abort(), SILENCE_MAX_MS);
      yield* parser.push(decoder.decode(chunk, { stream: true }));
      if (parser.isTooLong) throw new FormError(url, 'an event is too long');
    }
  } catch (error) {
    throw failure(error, url, options.signal);
  } finally {
    clearTimeout(timer);
  }
}

function parse(data: string, url: string): EventRecord {
  try {
    return JSON.parse(data) as EventRecord;
  } catch {
    throw new FormError(url, 'an event is not JSON');
  }
}

/**
 * Cuts a text into the data of its events (WHATWG HTML 9.2.6). Ids and names are not needed: the
 * data repeats them.
 */
export class EventParser {
  #line = '';
  #data: string[] = [];
  #dataChars = 0;

  /** Whether the event under way is longer than any may be. */
  get isTooLong(): boolean {
    return this.#line.length + this.#dataChars > EVENT_CHARS_MAX;
  }

  /** Takes the next piece of text and gives the data of the events that end in it. */
  push(chunk: string): string[] {
    const lines = (this.#line + chunk).split('\n');
    this.#line = lines.pop() ?? '';
    return lines.flatMap((line) => this.#endOfLine(line.replace(/\r$/, '')));
  }

  #endOfLine(line: string): string[] {
    if (line === '') {
      const data = this.#data.splice(0).join('\n');
      this.#dataChars = 0;
      return data === '' ? [] : [data];
    }
    if (line.startsWith('data:')) {
      const data = line.slice(5).replace(/^ /, '');
      this.#data.push(data);
      this.#dataChars += data.length;
    }
    return [];
  }
}

function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal?.addEventListener('abort', done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    }
  });
}
