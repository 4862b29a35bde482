/** What the interface says of contracts and their code. */

import { peer } from "./client.ts";
import type { Page, Tagged, Time } from "./model.ts";

export interface Code {
  id: string;
  number: number;
  name: string;
  source: string;
  interfaces: string[];
  owner: string;
  creator: string;
  bytes: number;
  stored_height: number;
  contracts: number;
}

export interface Contract {
  id: string;
  hex: string;
  name: string;
  /** `proposed`, `active`, `frozen` or `terminated`. */
  status: string;
  code: string;
  interfaces: string[];
  creator: string;
  admin?: string;
  callers: string[];
  created_height: number;
  changed_height: number;
  proposal?: { participants: string[]; threshold: number; accepted: string[]; declined: string[]; until_height: number };
}

export interface ContractPast {
  height: number;
  index: number;
  time: Time;
  transaction: string;
  events: Tagged[];
}

export interface ContractAnswer {
  answer?: string;
  data: string;
  gas_used: number;
  height: number;
}

type Options = { signal?: AbortSignal };
type Cursor = { after?: string; limit?: number };

const of = (id: string) => `/v1/contracts/${encodeURIComponent(id)}`;

export const codes = (query: Cursor, options: Options) => peer.ask<Page<Code>>("/v1/codes", query, options);
export const contracts = (query: Cursor, options: Options) => peer.ask<Page<Contract>>("/v1/contracts", query, options);
export const contract = (id: string, options: Options) => peer.ask<Contract>(of(id), {}, options);
export const contractPast = (id: string, query: Cursor, options: Options) => peer.ask<Page<ContractPast>>(`${of(id)}/transactions`, query, options);
export const answer = (id: string, message: string) => peer.ask<ContractAnswer>(`${of(id)}/answer`, { message });
