/** Read, verify and write an Althing ledger. */

export { Client, ConnectionError, FormError, ProblemError, RequestError, TimeoutError } from './client/index.ts';
export type { ClientOptions, EventsOptions, RequestOptions, Submission } from './client/index.ts';
/** The forms of the HTTP interface: what a peer answers. */
export type * as model from './client/model/index.ts';
export * from './proof/index.ts';
export * from './sign/index.ts';
export * from './text/index.ts';
