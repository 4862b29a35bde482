import { options } from "preact";
import { expect, test, vi } from "vitest";
import { computed, signal } from "../../src/lib/state.ts";

type Hooks = Record<"__r" | "diffed" | "unmount", (node: object) => void>;
const hooks = options as unknown as Hooks;

/** A component, and how it is drawn: what it reads then, it follows. */
function component(reads: () => unknown) {
  const one = { setState: vi.fn() };
  const node = { __c: one };
  return {
    drawn: () => one.setState.mock.calls.length,
    draw: () => {
      hooks.__r(node);
      reads();
      hooks.diffed(node);
    },
    unmount: () => hooks.unmount(node),
  };
}

test("whatever read a value when it was drawn is drawn anew when the value changes, and nothing else is", () => {
  const [height, name] = [signal(1), signal("a")];
  const twice = computed(() => height.value * 2);
  const [reader, follower, other] = [component(() => height.value), component(() => twice.value), component(() => name.peek())];
  for (const one of [reader, follower, other]) one.draw();
  void name.value;
  height.value = 2;
  name.value = "b";
  expect([reader.drawn(), follower.drawn(), other.drawn(), twice.value]).toEqual([1, 1, 0, 4]);
  height.value = 2;
  expect(reader.drawn()).toBe(1);
});

test("who reads something else by now, or is gone, is not drawn", () => {
  const [first, second] = [signal(1), signal(1)];
  let at = first;
  const reader = component(() => at.value);
  reader.draw();
  at = second;
  reader.draw();
  first.value = 2;
  expect(reader.drawn()).toBe(0);
  second.value = 2;
  expect(reader.drawn()).toBe(1);
  reader.unmount();
  second.value = 3;
  expect(reader.drawn()).toBe(1);
});

test("who subscribes is told of each change", () => {
  const value = signal(1);
  const told = vi.fn();
  value.subscribe(told);
  value.value = 2;
  value.value = 2;
  value.value = 3;
  expect(told).toHaveBeenCalledTimes(2);
});
