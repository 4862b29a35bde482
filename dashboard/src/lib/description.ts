/** What a Thing Description says that a thing can be asked for. It is written by strangers: nothing in it is relied on. */

/** A field of a form. */
export interface Input {
  name: string;
  kind: "number" | "boolean" | "choice" | "text";
  choices: string[];
  hint: string;
}

/** Something to ask for. */
export interface Affordance {
  operation: "read" | "write" | "invoke";
  name: string;
  title: string;
  /** The fields of what is to be sent; absent if that is not plain fields, but any JSON. */
  inputs: Input[] | undefined;
}

type Json = Record<string, unknown>;

const isJson = (value: unknown): value is Json => typeof value === "object" && value !== null && !Array.isArray(value);
const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
/** Most fields of a form; what has more is sent as JSON. */
const INPUTS_MAX = 16;
/** Most affordances that are offered. */
const OFFERED_MAX = 256;

function inputOf(name: string, schema: unknown): Input | undefined {
  if (!isJson(schema)) return undefined;
  const choices = Array.isArray(schema["enum"]) ? schema["enum"].filter((one) => ["string", "number"].includes(typeof one)).map(String) : [];
  const bounds = [schema["minimum"], schema["maximum"]].map((one) => (typeof one === "number" ? String(one) : ""));
  const hint = [textOf(schema["unit"]), bounds.some(Boolean) ? bounds.join(" to ") : ""].filter(Boolean).join(", ");
  if (choices.length > 0) return { name, kind: "choice", choices, hint };
  const kind = ({ number: "number", integer: "number", boolean: "boolean", string: "text" } as const)[textOf(schema["type"])];
  return kind && { name, kind, choices: [], hint };
}

/** The fields of an action's input: none, a value, or an object of values; otherwise JSON. */
function inputsOf(schema: unknown): Input[] | undefined {
  if (schema === undefined) return [];
  const single = inputOf("input", schema);
  if (single) return [single];
  const fields = isJson(schema) && isJson(schema["properties"]) ? Object.entries(schema["properties"]) : [];
  const inputs = fields.map(([name, field]) => inputOf(name, field));
  return inputs.length > 0 && inputs.length <= INPUTS_MAX && inputs.every((one) => one !== undefined) ? inputs : undefined;
}

/** What the description lets one ask for: writable properties, actions, then properties to be read anew. */
export function affordances(text: string): Affordance[] {
  let description: unknown;
  try {
    description = JSON.parse(text);
  } catch {
    return [];
  }
  const part = (name: string) => (isJson(description) && isJson(description[name]) ? Object.entries(description[name]).filter(([, one]) => isJson(one)) : []) as [string, Json][];
  const actions = part("actions").map(([name, one]) => ({ operation: "invoke" as const, name, title: textOf(one["title"]), inputs: inputsOf(one["input"]) }));
  const writes = part("properties").filter(([, one]) => one["readOnly"] !== true).map(([name, one]) => {
    const input = inputOf("value", one);
    return { operation: "write" as const, name, title: textOf(one["title"]), inputs: input && [input] };
  });
  const reads = part("properties").filter(([, one]) => one["writeOnly"] !== true).map(([name, one]) => ({ operation: "read" as const, name, title: textOf(one["title"]), inputs: [] }));
  return [...actions, ...writes, ...reads].slice(0, OFFERED_MAX);
}

/** The JSON of what was typed: an object, or the one value alone. Throws `RangeError` naming what is no number. */
export function jsonOf(inputs: readonly Input[], values: Record<string, string>): string | undefined {
  if (inputs.length === 0) return undefined;
  const one = (input: Input): unknown => {
    const value = values[input.name] ?? "";
    if (input.kind === "boolean") return value === "true";
    if (input.kind !== "number") return value;
    const number = Number(value);
    if (value.trim() === "" || !Number.isFinite(number)) throw new RangeError(`${input.name} is no number`);
    return number;
  };
  const [first] = inputs as [Input];
  return JSON.stringify(inputs.length === 1 && first.name === "input" ? one(first) : Object.fromEntries(inputs.map((input) => [input.name, one(input)])));
}
