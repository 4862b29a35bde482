/** What the interface says of access: policies, requests, grants and decisions. */

import { peer } from "./client.ts";
import type { EventRecord, Page, Time } from "./model.ts";

export interface Resource {
  /** `everything`, `thing`, `property`, `action`, `service` or `contract`. */
  kind: string;
  id: string;
  name?: string;
}

export interface Policy {
  owner: string;
  resource: Resource;
  mode: string;
  text: string;
  words: string[];
  ask?: string;
  patience_blocks: number;
  grant_blocks_max: number;
  version: number;
  since_height: number;
}

export interface Access {
  id: string;
  owner: string;
  grantee: string;
  resource: Resource;
  right: string;
  purpose: string;
}

export interface Grant extends Access {
  status: string;
  given?: { by: string; since_height: number; until_height: number; count_max: number; used: number; revoked?: number };
  asked?: { entity: string; since_height: number; answer_until_height: number; until_height: number; count_max: number };
}

export interface Decision {
  allowed: boolean;
  reason: string;
  detail: string;
  height: number;
  policy?: { resource: Resource; version: number; mode: string; statement?: number; words?: string };
  grant?: string;
}

/** A use of a grant, as the feed tells it. */
export interface Use {
  access: Access;
  by: string;
  count: number;
  used: number;
  first: Time;
  last: Time;
}

type Options = { signal?: AbortSignal };
type Cursor = { after?: string; limit?: number };

const at = (path: string) => `/v1/access/${path}`;

export const policies = (owner: string, query: Cursor, options: Options) => peer.ask<Page<Policy>>(at(`policies/${encodeURIComponent(owner)}`), query, options);
export const grants = (entity: string, query: Cursor & { status?: string }, options: Options) => peer.ask<Page<Grant>>(at("grants"), { entity, ...query }, options);
export const feed = (owner: string, query: Cursor, options: Options) => peer.ask<Page<EventRecord>>(at("feed"), { owner, ...query }, options);
export const explain = (query: Record<string, string>, options: Options) => peer.ask<Decision>(at("explain"), query, options);
