/** A client of the HTTP interface of a peer: reads, events, submissions. */

export { Client } from './client.ts';
export { EventParser, type EventsOptions } from './events.ts';
export type * from './model/index.ts';
export { ConnectionError, FormError, ProblemError, RequestError, TimeoutError } from './problem.ts';
export type { Submission } from './submission.ts';
export type { Act, ClientOptions, RequestOptions } from './transport.ts';
