import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ConnectionError, ProblemError } from "althing/client";
import { turns } from "../../src/lib/turns.ts";

/** A tab that can be hidden. */
const tab = Object.assign(new EventTarget(), { hidden: false });
const show = (shown: boolean) => {
  tab.hidden = !shown;
  tab.dispatchEvent(new Event("visibilitychange"));
};

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("document", tab);
  tab.hidden = false;
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** An answer that takes a while; how many were begun, had and given up. */
function slow(tookMs: number) {
  const counted = { begun: 0, had: 0, givenUp: 0 };
  const act = (signal: AbortSignal) => {
    counted.begun += 1;
    signal.addEventListener("abort", () => (counted.givenUp += 1));
    return new Promise<void>((resolve) => setTimeout(() => (signal.aborted || (counted.had += 1), resolve()), tookMs));
  };
  return { counted, act };
}

// A page gave each answer up for the next news: where answers took longer than a second, and news came each second, its chart stood still.
test("news that come faster than answers starve nobody, and are asked for when the answer is there", async () => {
  const { counted, act } = slow(2500);
  const asking = turns(act);
  for (let second = 0; second < 10; second += 1) {
    asking.again();
    await vi.advanceTimersByTimeAsync(1000);
  }
  expect(counted).toEqual({ begun: 5, had: 4, givenUp: 0 });
  await vi.advanceTimersByTimeAsync(60_000);
  // The turn under way, and one for what came meanwhile.
  expect(counted.had).toBe(5);
  asking.end();
});

test("without news there is one turn, and with a pace each begins that long after the end of the last", async () => {
  const [once, often] = [slow(10), slow(400)];
  const both = [turns(once.act), turns(often.act, 1000)];
  await vi.advanceTimersByTimeAsync(4200);
  expect([once.counted.begun, often.counted.begun]).toEqual([1, 4]);
  for (const one of both) one.end();
  await vi.advanceTimersByTimeAsync(10_000);
  expect([once.counted.begun, often.counted.begun]).toEqual([1, 4]);
});

test("a hidden tab asks nothing, and catches up when it is looked at", async () => {
  const [paced, told] = [slow(10), slow(10)];
  const both = [turns(paced.act, 1000), turns(told.act)];
  await vi.advanceTimersByTimeAsync(500);
  show(false);
  both[1]?.again();
  await vi.advanceTimersByTimeAsync(60_000);
  expect([paced.counted.begun, told.counted.begun]).toEqual([1, 1]);
  show(true);
  show(true);
  await vi.advanceTimersByTimeAsync(500);
  expect([paced.counted.begun, told.counted.begun]).toEqual([2, 2]);
  await vi.advanceTimersByTimeAsync(1000);
  expect([paced.counted.begun, told.counted.begun]).toEqual([3, 2]);
  for (const one of both) one.end();
});

test("what fails for a while is tried again, and what was refused is not", async () => {
  const failing = (error: Error) => vi.fn(() => Promise.reject(error));
  const problem = (status: number) => new ProblemError({ type: "", title: "", status, code: "x", detail: "no" } as never, "http://peer");
  const [silent, missing, unseen] = [failing(new ConnectionError("http://peer", "")), failing(problem(404)), failing(problem(403))];
  const both = [turns(silent), turns(missing), turns(unseen, 1000)];
  await vi.advanceTimersByTimeAsync(5000);
  expect([silent, missing, unseen].map((one) => one.mock.calls.length)).toEqual([3, 1, 1]);
  // An owner may have decided otherwise by then.
  await vi.advanceTimersByTimeAsync(60_000);
  expect(unseen.mock.calls.length).toBe(2);
  for (const one of both) one.end();
});

// The page of a run asked for a transaction of its id every three seconds, which there never is, and the browser noted each answer.
test("what is not there is asked for ever more seldom, until it is", async () => {
  let there = false;
  const asked = vi.fn(() => (there ? Promise.resolve() : Promise.reject(new ProblemError({ type: "", title: "", status: 404, code: "x", detail: "no" } as never, "http://peer"))));
  const asking = turns(asked, 1000);
  // After 2, 4, 8, 16 and 32 s, and then each minute.
  await vi.advanceTimersByTimeAsync(63_000);
  expect(asked.mock.calls.length).toBe(6);
  there = true;
  await vi.advanceTimersByTimeAsync(59_500);
  expect(asked.mock.calls.length).toBe(7);
  await vi.advanceTimersByTimeAsync(3000);
  expect(asked.mock.calls.length).toBe(10);
  asking.end();
});

test("what has ended is not asked for again", async () => {
  const { counted, act } = slow(100);
  const asking = turns(act);
  asking.again();
  asking.end();
  asking.again();
  await vi.advanceTimersByTimeAsync(1000);
  expect(counted).toEqual({ begun: 1, had: 0, givenUp: 1 });
});
