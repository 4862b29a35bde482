// The steps of a verification, and what each shows.

/** A step of the verification. Codes never change their meaning. */
export type Step = keyof typeof STEPS;

/** What each step shows, in the order of the checks; a bundle has those that its claim needs. */
export const STEPS = {
  form: 'The bytes are a bundle in canonical form.',
  ledger: 'The bundle is about the ledger of the genesis.',
  membership: 'The validators follow from the genesis.',
  certificate: 'A quorum of them made the block final.',
  thing: 'The thing is in the state that the block commits to.',
  stream: 'The stream is in that state and belongs to the thing.',
  batch: "The batch is in the stream's tree.",
  payload: "The payload is the batch's.",
  reading: 'The reading is in the payload.',
  submitter: 'The submitter is an entity of the ledger.',
  delegation: 'It was allowed to submit for the thing.',
  signature: 'Its signature covers the batch.',
  device: "The signature of the thing's device covers the reading.",
  range: 'The readings of the interval are complete.',
  aggregate: 'The aggregate over the interval is complete.',
  state: 'The state holds the value, or nothing, at the key.',
  transaction: 'The transaction is in the block.',
  receipt: 'The receipt is that of the transaction or of the run.',
  seal: 'The bundle is as it was made.',
} as const;

/** The steps that a claim of each kind goes through, in order, if it holds. */
export const STEPS_OF_CLAIM = {
  /** With a payload of signed packs, `device` comes before `seal`. */
  reading: ['form', 'ledger', 'membership', 'certificate', 'thing', 'stream', 'batch', 'payload', 'reading', 'submitter', 'delegation', 'signature', 'seal'],
  range: ['form', 'ledger', 'membership', 'certificate', 'thing', 'stream', 'range', 'seal'],
  aggregate: ['form', 'ledger', 'membership', 'certificate', 'thing', 'stream', 'aggregate', 'seal'],
  state: ['form', 'ledger', 'membership', 'certificate', 'state', 'seal'],
  /** With a receipt, the block that states it is checked too: `membership` and `certificate` again. */
  transaction: ['form', 'ledger', 'membership', 'certificate', 'transaction', 'membership', 'certificate', 'receipt', 'seal'],
  run: ['form', 'ledger', 'membership', 'certificate', 'membership', 'certificate', 'receipt', 'seal'],
} as const satisfies Record<string, readonly Step[]>;

/** A step that holds, in words. */
export interface Done {
  /** Which. */
  step: Step;
  /** What it showed. Texts of the ledger in it are escaped for a terminal, not for HTML. */
  text: string;
}

/** The first step that does not hold: do not rely on anything in the bundle. */
export class Failure extends Error {
  override readonly name = 'Failure';
  /** Which. */
  readonly step: Step;
  /** Why, in words. */
  readonly why: string;
  /** The steps before it, which hold. */
  readonly done: readonly Done[];

  constructor(step: Step, why: string, done: readonly Done[]) {
    super(`the proof fails at step \`${step}\`: ${why}; do not rely on it`);
    this.step = step;
    this.why = why;
    this.done = done;
  }
}
