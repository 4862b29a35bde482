import { Fragment, h, render, type ComponentChildren, type FunctionComponent } from "preact";
import { useLayoutEffect } from "preact/hooks";
import { beforeAll, expect, test, vi } from "vitest";
import { computed, signal } from "../../src/lib/state.ts";

/** As much of a document as text in lists needs. */
class Place {
  childNodes: Place[] = [];
  parentNode: Place | null = null;
  nodeType = 1;
  namespaceURI = "";
  data = "";
  get firstChild(): Place | null {
    return this.childNodes[0] ?? null;
  }
  get nextSibling(): Place | null {
    const beside = this.parentNode?.childNodes ?? [];
    return beside[beside.indexOf(this) + 1] ?? null;
  }
  get text(): string {
    return this.data + this.childNodes.map((one) => one.text).join("");
  }
  insertBefore(node: Place, before: Place | null) {
    node.remove();
    node.parentNode = this;
    this.childNodes.splice(before ? this.childNodes.indexOf(before) : this.childNodes.length, 0, node);
    return node;
  }
  appendChild(node: Place) {
    return this.insertBefore(node, null);
  }
  removeChild(node: Place) {
    node.remove();
  }
  remove() {
    if (!this.parentNode) return;
    this.parentNode.childNodes = this.parentNode.childNodes.filter((one) => one !== this);
    this.parentNode = null;
  }
}

beforeAll(() => {
  const made = (data: string) => Object.assign(new Place(), { nodeType: 3, data });
  vi.stubGlobal("document", { createElement: () => new Place(), createElementNS: () => new Place(), createTextNode: made });
});

/** Draws what is waiting to be drawn. */
const settled = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A place where something is shown. */
function shown(what: ComponentChildren) {
  const place = new Place();
  const show = (next: ComponentChildren) => render(next as never, place as unknown as Element);
  show(what);
  return { show, text: () => place.text };
}

/** A component that counts how often it is drawn. */
function counting(reads: () => unknown): { View: FunctionComponent; drawn: () => number } {
  const View = vi.fn(() => h(Fragment, null, String(reads())));
  return { View: View as unknown as FunctionComponent, drawn: () => View.mock.calls.length };
}

test("whatever read a value when it was drawn is drawn anew when the value changes, and nothing else is", async () => {
  const [height, name] = [signal(1), signal("a")];
  const twice = computed(() => height.value * 2);
  const [reader, follower, other] = [counting(() => height.value), counting(() => twice.value), counting(() => name.peek())];
  const around = vi.fn(() => h(Fragment, null, [h(reader.View, null), h(follower.View, null), h(other.View, null)]));
  const page = shown(h(around as unknown as FunctionComponent, null));
  expect(page.text()).toBe("12a");
  void name.value;
  height.value = 2;
  name.value = "b";
  await settled();
  expect(page.text()).toBe("24a");
  expect([reader.drawn(), follower.drawn(), other.drawn(), around.mock.calls.length]).toEqual([2, 2, 1, 1]);
  height.value = 2;
  await settled();
  expect(reader.drawn()).toBe(2);
});

test("who reads something else by now, or is gone, is not drawn", async () => {
  const [which, first, second] = [signal(1), signal("x"), signal("y")];
  const reader = counting(() => (which.value === 1 ? first.value : second.value));
  const page = shown(h(reader.View, null));
  which.value = 2;
  await settled();
  first.value = "unread";
  await settled();
  expect([page.text(), reader.drawn()]).toEqual(["y", 2]);
  second.value = "z";
  await settled();
  expect([page.text(), reader.drawn()]).toEqual(["z", 3]);
  page.show(null);
  second.value = "gone";
  await settled();
  expect([page.text(), reader.drawn()]).toEqual(["", 3]);
});

test("what a component reads after another was drawn within it is its own", async () => {
  const [mine, its] = [signal("m"), signal("i")];
  const inner = counting(() => its.value);
  const outer = vi.fn(() => h(Fragment, null, [h(inner.View, null), mine.value]));
  const page = shown(h(outer as unknown as FunctionComponent, null));
  its.value = "I";
  await settled();
  expect([page.text(), outer.mock.calls.length, inner.drawn()]).toEqual(["Im", 1, 2]);
  mine.value = "M";
  await settled();
  expect([page.text(), outer.mock.calls.length]).toEqual(["IM", 2]);
});

// It once was another: whatever had been drawn by itself was made anew, and lost the focus, when what is around it was drawn.
test("what is drawn again is the same component, not another in its place", async () => {
  const [mine, around, gone] = [signal(1), signal(1), vi.fn()];
  const View = () => {
    useLayoutEffect(() => gone, []);
    return h(Fragment, null, String(mine.value));
  };
  const page = shown(h(() => h(Fragment, null, [String(around.value), h(View, null)]), null));
  await settled();
  mine.value = 2;
  await settled();
  around.value = 3;
  await settled();
  expect([page.text(), gone.mock.calls.length]).toEqual(["32", 0]);
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
