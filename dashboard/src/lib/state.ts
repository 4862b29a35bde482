/**
 * Values that pages show. Whatever reads one while it is drawn is drawn anew when it changes; elsewhere it is just read.
 *
 * `@preact/signals` does this and much more, at two kilobytes of the hundred and twenty that all pages have. Like it, this learns what is being drawn
 * by the hooks of Preact that have no public name, `__r` before a component is drawn and `__c` for the component of a node: its version is pinned.
 */

import { options, type Component } from "preact";

type Drawn = Pick<Component, "setState">;
interface Node {
  __c?: Drawn | null;
}
type Hook = ((node: Node) => void) | undefined;

/** A value that is read only. */
export interface ReadonlySignal<T> {
  readonly value: T;
}

/** A value. */
export interface Signal<T> {
  value: T;
  /** The value, for who does not follow it. */
  peek(): T;
  /** Calls whenever it changes. */
  subscribe(told: () => void): void;
}

/** What is being drawn, and what each component read when it was. */
let drawn: Drawn | undefined;
const read = new WeakMap<Drawn, Set<Set<Drawn>>>();

/** Forgets what a component read. */
function forget(component: Drawn | null | undefined) {
  if (!component) return;
  for (const readers of read.get(component) ?? []) readers.delete(component);
  read.delete(component);
}

const hooks = options as unknown as Record<"__r" | "diffed" | "unmount", Hook>;

/** Does something before what others do at that point. */
function before(point: keyof typeof hooks, first: (node: Node) => void) {
  const then = hooks[point];
  hooks[point] = (node) => {
    first(node);
    then?.(node);
  };
}

before("__r", (node) => {
  forget(node.__c);
  drawn = node.__c ?? undefined;
});
before("diffed", () => {
  drawn = undefined;
});
before("unmount", (node) => forget(node.__c));

export function signal<T>(value: T): Signal<T> {
  const readers = new Set<Drawn>();
  const told: (() => void)[] = [];
  return {
    get value() {
      if (drawn) {
        readers.add(drawn);
        read.set(drawn, (read.get(drawn) ?? new Set()).add(readers));
      }
      return value;
    },
    set value(next) {
      if (next === value) return;
      value = next;
      for (const component of readers) component.setState({});
      for (const each of told) each();
    },
    peek: () => value,
    subscribe: (each) => told.push(each),
  };
}

/** What follows from others. */
export function computed<T>(of: () => T): ReadonlySignal<T> {
  return {
    get value() {
      return of();
    },
  };
}
