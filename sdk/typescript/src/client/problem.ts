import type { Problem } from './model/index.ts';

/** A request that did not succeed: refused, not answered, or answered in a form that is not known. */
export abstract class RequestError extends Error {
  /** What was asked for. */
  readonly url: string;

  constructor(message: string, url: string, options?: ErrorOptions) {
    super(message, options);
    this.url = url;
  }

  /** The stable code of the peer's problem, such as `nonce_reused`; absent if it stated none. */
  get code(): string | undefined {
    return undefined;
  }

  /**
   * Whether the same request can succeed later, at this peer or another. A transaction can be sent
   * again without fear: its nonce admits it once.
   */
  get isTemporary(): boolean {
    return false;
  }
}

/** The peer refused, and said why (RFC 9457). */
export class ProblemError extends RequestError {
  override readonly name = 'ProblemError';
  /** What the peer stated. */
  readonly problem: Problem;

  constructor(problem: Problem, url: string) {
    super(sentence(problem), url);
    this.problem = problem;
  }

  override get code(): string {
    return this.problem.code;
  }

  override get isTemporary(): boolean {
    return [429, 503, 504, 507].includes(this.problem.status);
  }
}

/** The request could not be sent, or the connection broke. */
export class ConnectionError extends RequestError {
  override readonly name = 'ConnectionError';

  constructor(url: string, cause: unknown) {
    super(`the request to ${url} failed; is the peer running, and is this its address?`, url, { cause });
  }

  override get isTemporary(): boolean {
    return true;
  }
}

/** No answer in time. */
export class TimeoutError extends RequestError {
  override readonly name = 'TimeoutError';

  constructor(url: string, afterMs: number) {
    super(`no answer from ${url} within ${afterMs} ms`, url);
  }

  override get isTemporary(): boolean {
    return true;
  }
}

/** The answer is not of the form it should have. */
export class FormError extends RequestError {
  override readonly name = 'FormError';

  constructor(url: string, what: string) {
    super(`the answer from ${url} is not of the expected form: ${what}`, url);
  }
}

/** Reads a problem from an answer's text; `undefined` if it is none. */
export function parseProblem(text: string): Problem | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  return isProblem(value) ? value : undefined;
}

function isProblem(value: unknown): value is Problem {
  if (typeof value !== 'object' || value === null) return false;
  const { title, status, code, detail } = value as Partial<Record<keyof Problem, unknown>>;
  return [title, code, detail].every((text) => typeof text === 'string') && typeof status === 'number';
}

function sentence({ detail, code, field, advice }: Problem): string {
  return `${detail} (${code})${field ? ` in \`${field}\`` : ''}${advice ? ` ${advice}` : ''}`;
}
