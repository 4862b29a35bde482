/** Checks bundles in this browser: nothing is asked of any peer. */

import { Failure, STEPS_OF_CLAIM, verify, type Genesis, type Step, type Verified } from "althing/verify";

/** What became of a check. */
export interface Checked {
  verified?: Verified;
  failure?: Failure;
  steps: CheckedStep[];
  tookMs: number;
}

export interface CheckedStep {
  step: Step;
  state: "holds" | "fails" | "unreached";
  /** What the step shows, whatever the bundle. */
  means: string;
  /** What it showed here. */
  text: string;
}

/** What each step means to somebody who never saw one. */
const MEANING: Record<Step, string> = {
  form: "The file is in the one form that such a file can have.",
  ledger: "It is about the ledger that your genesis founds, and no other.",
  membership: "Who may vote follows from the genesis, step by step.",
  certificate: "Enough of them signed the block: nobody can change it alone.",
  thing: "The thing is registered in the state that this block commits to.",
  stream: "The series of this property belongs to that thing.",
  batch: "The batch is in the tree of that series: it was not slipped in later.",
  payload: "The data are those whose digest the ledger has.",
  reading: "The value is in these data, at its number.",
  submitter: "Whoever submitted it is known to the ledger.",
  delegation: "The owner let it speak for the thing.",
  signature: "Its signature covers these data.",
  device: "The device itself signed the reading: no gateway changed it.",
  range: "Every reading of the interval is here: one that was held back would show.",
  aggregate: "The figures cover every reading of the interval.",
  state: "The state holds exactly this at the key.",
  transaction: "The transaction is in the block.",
  receipt: "What became of it is what the peers agreed on.",
  seal: "The file is as it was made.",
};

/** The claim's kind as far as the steps that hold tell; a reading if they do not. */
function expected(done: readonly Step[], failed: Step): readonly Step[] {
  const all = [...done, failed];
  const lists = Object.values(STEPS_OF_CLAIM) as readonly (readonly Step[])[];
  return lists.find((steps) => all.every((step, at) => steps[at] === step)) ?? all;
}

/** Checks a bundle against a genesis. */
export function check(bundle: Uint8Array, genesis: Genesis): Checked {
  const began = performance.now();
  const line = (step: Step, state: CheckedStep["state"], text: string): CheckedStep => ({ step, state, means: MEANING[step], text });
  try {
    const verified = verify(bundle, genesis);
    const tookMs = performance.now() - began;
    return { verified, tookMs, steps: verified.steps.map((one) => line(one.step, "holds", one.text)) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    const tookMs = performance.now() - began;
    const order = expected(error.done.map((one) => one.step), error.step);
    const steps = [
      ...error.done.map((one) => line(one.step, "holds", one.text)),
      line(error.step, "fails", error.why),
      ...order.slice(error.done.length + 1).map((step) => line(step, "unreached", "not looked at any more")),
    ];
    return { failure: error, tookMs, steps };
  }
}

/** The bundle with one bit changed, somewhere in its middle: it must not hold. */
export function tampered(bundle: Uint8Array, seed: number): Uint8Array {
  const changed = bundle.slice();
  const at = Math.floor(bundle.length * (0.15 + 0.7 * ((seed * 0.61803) % 1)));
  changed[at] = (changed[at] ?? 0) ^ 0x01;
  return changed;
}
