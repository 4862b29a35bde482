/** A policy from a template: who may do what with something of one's own, without writing Cedar. */

import { actions, policyStatement, type Action, type Template } from "althing/sign";
import { useState } from "preact/hooks";
import { peer } from "../lib/client.ts";
import { useQuery } from "../lib/query.ts";
import { Choice, Form, Text } from "../ui/form.tsx";

type Policy = (Action & { kind: "set_access_policy" })["policy"];
type Resource = Policy["resource"];
type Right = NonNullable<Parameters<typeof actions.requestAccess>[2]>;

export const RIGHTS: readonly Right[] = ["read", "subscribe", "write", "invoke", "describe", "call"];

const WHOM = [
  { id: "everyone", name: "everybody" },
  { id: "organisation", name: "an organisation and all that it owns" },
  { id: "entity", name: "one service, person, gateway or device" },
  { id: "kind", name: "all entities of a kind" },
  { id: "deny", name: "nobody of: forbid" },
];
const KINDS = ["organisation", "gateway", "device", "service", "person", "auditor"];
export const MODES: Record<string, string> = {
  open: "whom it permits needs no grant",
  grant: "whom it permits needs a grant, and each use is recorded",
  strict: "whom it permits needs a grant, and each use is a transaction that consensus decides",
};
/** Most things and organisations to choose from. */
const CHOICES = 200;
/** Blocks that an answer may take, and that a grant lasts at most. */
const [PATIENCE_BLOCKS, GRANT_BLOCKS] = [600, 100_000n];

/** A resource as the interface names it, as an action does. */
export function resourceOf({ kind, id, name }: { kind: string; id: string; name?: string }): Resource {
  const bytes = actions.idBytes(id);
  if (kind === "property" || kind === "action") return { kind, thing: bytes, name: name ?? "" };
  return { kind, [kind === "everything" ? "owner" : kind]: bytes } as unknown as Resource;
}

interface Fields {
  about: string;
  property: string;
  whom: string;
  who: string;
  purpose: string;
  mode: string;
  asked: string;
}

function templateOf({ whom, who, purpose }: Fields, rights: readonly Right[]): Template {
  const forWhat = purpose === "" ? {} : { purpose };
  if (whom === "everyone") return { kind: whom, rights };
  if (whom === "deny") return { kind: whom, who };
  if (whom === "kind") return { kind: whom, of: who as "auditor", rights, ...forWhat };
  return { kind: whom === "entity" ? whom : "organisation", who, rights, ...forWhat };
}

function policyOf(fields: Fields, rights: readonly Right[], owner: string): Policy {
  const { about, property, mode, asked } = fields;
  const resource = about === owner ? { kind: "everything", id: owner } : property ? { kind: "property", id: about, name: property } : { kind: "thing", id: about };
  // Who is forbidden is not to take from others what they had: they need a statement, too.
  const others = fields.whom === "deny" ? `\n${policyStatement({ kind: "everyone", rights })}` : "";
  return {
    resource: resourceOf(resource),
    mode: mode as "open",
    text: policyStatement(templateOf(fields, rights)) + others,
    ask: asked === "" ? null : actions.idBytes(asked),
    patienceBlocks: asked === "" ? 0 : PATIENCE_BLOCKS,
    grantBlocksMax: GRANT_BLOCKS,
  };
}

/** The statement, or what is still missing. */
function drafted(make: () => Policy): { policy?: Policy; missing: string } {
  try {
    return { policy: make(), missing: "" };
  } catch (error) {
    return { missing: (error as Error).message };
  }
}

export function PolicyForm({ owner }: { owner: string }) {
  const [fields, setFields] = useState<Fields>({ about: "", property: "", whom: "organisation", who: "", purpose: "", mode: "grant", asked: owner });
  const [rights, setRights] = useState<Right[]>(["read", "subscribe"]);
  const set = (field: keyof Fields) => (value: string) => setFields({ ...fields, [field]: value });
  const choices = useQuery(`policy ${owner}`, async (signal) => {
    const [things, organisations] = await Promise.all([peer.things({ owner, limit: CHOICES }, { signal }), peer.entities({ kind: "organisation", limit: CHOICES }, { signal })]);
    return { things: things.items, organisations: organisations.items };
  });
  const { things = [], organisations = [] } = choices.data ?? {};
  const { about, whom, who, mode } = fields;
  const properties = things.find((one) => one.id === about)?.properties ?? [];
  const named = whom === "everyone" || who !== "";
  const { policy, missing } = drafted(() => policyOf(fields, RIGHTS.filter((right) => rights.includes(right)), owner));
  return (
    <Form title="Decide who may" note="in place of an earlier policy about the same" verb="Sign and decide" ready={about !== "" && mode !== "" && named && policy !== undefined} action={() => actions.setAccessPolicy(policy as Policy)}>
      <div class="sign-fields">
        <Choice label="About" value={about} set={(id) => setFields({ ...fields, about: id, property: "" })} options={[{ id: owner, name: "everything of mine" }, ...things.map((one) => ({ id: one.id, name: one.title || one.name }))]} none="choose" />
        {properties.length > 0 && <Choice label="Property" value={fields.property} set={set("property")} options={properties.map(({ name }) => ({ id: name, name }))} none="all of it" />}
        <Choice label="Let" value={whom} set={(id) => setFields({ ...fields, whom: id, who: "" })} options={WHOM} none="choose" />
        {(whom === "organisation" || whom === "deny") && <Choice label="Which" value={who} set={set("who")} options={organisations.filter((one) => one.id !== owner)} none="choose" />}
        {whom === "entity" && <Text label="Which" value={who} set={set("who")} hint="DID" />}
        {whom === "kind" && <Choice label="Which" value={who} set={set("who")} options={KINDS.map((id) => ({ id, name: id }))} none="choose" />}
        {whom !== "deny" && whom !== "everyone" && <Text label="Only for (optional)" value={fields.purpose} set={set("purpose")} hint="purpose" />}
        <Choice label="What it takes" value={mode} set={set("mode")} options={Object.keys(MODES).map((id) => ({ id, name: id }))} none="choose" />
        {mode !== "open" && <Choice label="Who is asked" value={fields.asked} set={set("asked")} options={[{ id: owner, name: "I am" }]} none="nobody: the policy decides" />}
      </div>
      <fieldset class="row">
        <legend>{whom === "deny" ? "Others may" : "May"}</legend>
        {RIGHTS.map((right) => (
          <label key={right} class="check"><input type="checkbox" checked={rights.includes(right)} onChange={() => setRights(rights.includes(right) ? rights.filter((one) => one !== right) : [...rights, right])} /> {right}</label>
        ))}
      </fieldset>
      {MODES[mode] && <p class="muted">{mode}: {MODES[mode]}.</p>}
      {named && (policy ? <pre tabIndex={0} aria-label="The policy in Cedar">{policy.text}</pre> : <p class="muted">{missing}</p>)}
    </Form>
  );
}
