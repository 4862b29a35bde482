import { expect, test } from "vitest";
import type { EventRecord } from "../../src/lib/model.ts";
import { vouchersOf } from "../../src/lib/vouchers.ts";

const at = (height: number, event: object) => ({ cursor: `${height}-0-0`, height, index: 0, transaction: "", event }) as unknown as EventRecord;

test("a voucher knows how many joined by it, and whether it still counts", () => {
  const issued = (height: number, voucher: string, count: number) => at(height, { type: "voucher_issued", voucher, maker: "did:m", owner: "did:o", count });
  const joined = (height: number, voucher: string) => at(height, { type: "device_joined", voucher, device: `did:${height}`, thing: "did:t" });
  const rows = vouchersOf([issued(1, "a", 3), joined(2, "a"), issued(3, "b", 1), joined(4, "a"), joined(5, "b"), at(6, { type: "voucher_revoked", voucher: "a" }), joined(7, "unknown"), at(8, { type: "bound" })]);
  expect(rows.map(({ id, count, joined: all, height, revoked }) => [id, count, all, height, revoked])).toEqual([["b", 1, 1, 3, false], ["a", 3, 2, 1, true]]);
});
