/** The forms of the interface, and the loose one in which the pages show actions and events. */

export type * from "althing/client";

/** An action or event: `type` says which, the rest are its fields. */
export type Tagged = { type: string } & Record<string, unknown>;

/** Actions and events of the interface, to be shown by their type whatever it is. */
export function tagged(one: object): Tagged {
  return one as Tagged;
}
