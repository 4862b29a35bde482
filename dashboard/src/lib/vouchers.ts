/** Makers' vouchers, put together from the events that tell of them. */

import { tagged, type EventRecord } from "./model.ts";

export interface VoucherRow {
  id: string;
  maker: string;
  owner: string;
  /** Devices that it is for, and those that have joined. */
  count: number;
  joined: number;
  /** The block that issued it. */
  height: number;
  revoked: boolean;
}

/** The vouchers of events in their order, newest first. */
export function vouchersOf(events: readonly EventRecord[]): VoucherRow[] {
  const found = new Map<string, VoucherRow>();
  for (const { event, height } of events) {
    const one = tagged(event);
    const id = String(one["voucher"]);
    const row = found.get(id);
    if (one.type === "voucher_issued") found.set(id, { id, maker: String(one["maker"]), owner: String(one["owner"]), count: Number(one["count"]), joined: 0, height, revoked: false });
    else if (row && one.type === "device_joined") row.joined += 1;
    else if (row && one.type === "voucher_revoked") row.revoked = true;
  }
  return [...found.values()].reverse();
}
