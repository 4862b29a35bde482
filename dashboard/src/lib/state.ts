/**
 * Values that pages show. Whatever reads one while it is drawn is drawn anew when it changes; elsewhere it is just read.
 *
 * `@preact/signals` does this and much more, at three kilobytes of the hundred and twenty that all pages have, and by parts of Preact that have no
 * public name. This stands on what Preact documents: its hooks, and `options.vnode`, by which each component that is made is one that notes what it reads.
 */

import { Fragment, options, type FunctionComponent } from "preact";
import { useLayoutEffect, useState } from "preact/hooks";

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

/** A component that is there: how to draw it anew, and among whose readers it is. */
interface Reader {
  draw: (anew: object) => void;
  of: Set<Set<Reader>>;
}

/** What is being drawn. */
let drawn: Reader | undefined;

/** Forgets what it read. */
function forget(reader: Reader) {
  for (const readers of reader.of) readers.delete(reader);
  reader.of.clear();
}

/** The same component, which is drawn anew when a value changes that it read. */
function follows(component: FunctionComponent): FunctionComponent {
  const following: FunctionComponent = (props) => {
    const [, draw] = useState({});
    const [reader] = useState<Reader>(() => ({ draw, of: new Set() }));
    useLayoutEffect(() => () => forget(reader), []);
    forget(reader);
    const around = drawn;
    drawn = reader;
    try {
      return component(props);
    } finally {
      drawn = around;
    }
  };
  following.displayName = component.name;
  return following;
}

const following = new WeakMap<FunctionComponent, FunctionComponent>();
const then = options.vnode;
options.vnode = (node) => {
  const component = node.type as FunctionComponent;
  if (typeof component === "function" && component !== Fragment) {
    const made = following.get(component) ?? follows(component);
    following.set(component, made);
    // Preact tells of an element again when it is drawn by itself: it stays what it was.
    following.set(made, made);
    node.type = made as typeof node.type;
  }
  then?.(node);
};

export function signal<T>(value: T): Signal<T> {
  const readers = new Set<Reader>();
  const told: (() => void)[] = [];
  return {
    get value() {
      if (drawn) {
        readers.add(drawn);
        drawn.of.add(readers);
      }
      return value;
    },
    set value(next) {
      if (next === value) return;
      value = next;
      for (const reader of readers) reader.draw({});
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
