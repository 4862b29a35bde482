// What the page has left of the libraries of signatures and digests, against Node's own and against the whole libraries.

import { execFileSync } from "node:child_process";
import { createCipheriv, createHash, createPublicKey, diffieHellman, generateKeyPairSync, hkdfSync, randomBytes, sign, verify } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { build } from "vite";
import { leaner, leanNoble, UNASKED } from "../../noble.ts";

const sdk = fileURLToPath(new URL("../../../sdk/typescript/", import.meta.url));

/** What is left, built as the page is: cuts are made for code of which nothing else remains. */
let SigningKey, verifySignature, sha256, blake3, chacha20poly1305, x25519, extract, expand, hash, openKeyFile, sealKeyFile, folder;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "althing-noble-"));
  const entry = join(folder, "entry.js");
  const from = (names, file) => `export { ${names} } from ${JSON.stringify(join(sdk, file))};\n`;
  writeFileSync(entry, from("SigningKey, verifySignature", "src/forms/crypto.ts") + from("sha256", "src/forms/digest.ts") + from("openKeyFile, sealKeyFile", "src/sign/key-file.ts") + from("blake3", "node_modules/@noble/hashes/blake3.js") + from("chacha20poly1305", "node_modules/@noble/ciphers/chacha.js") + from("x25519", "node_modules/@noble/curves/ed25519.js") + from("sha256 as hash", "node_modules/@noble/hashes/sha2.js") + from("extract, expand", "node_modules/@noble/hashes/hkdf.js"));
  await build({ configFile: false, root: folder, logLevel: "warn", plugins: [leanNoble], build: { lib: { entry, formats: ["es"], fileName: () => "left.mjs" }, outDir: join(folder, "out"), minify: false } });
  ({ SigningKey, verifySignature, sha256, blake3, chacha20poly1305, x25519, extract, expand, hash, openKeyFile, sealKeyFile } = await import(/* @vite-ignore */ pathToFileURL(join(folder, "out", "left.mjs")).href));
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true }));

/** What a program of the whole libraries says, as JSON. */
const whole = (program) => JSON.parse(execFileSync(process.execPath, ["--input-type=module", "-e", program], { cwd: sdk, encoding: "utf8" }));

const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;
const base64url = (bytes) => Buffer.from(bytes).toString("base64url");

/** A key of Node, and the same as one of ours. */
function pair(suite) {
  const { privateKey } = suite === "ed25519" ? generateKeyPairSync("ed25519") : generateKeyPairSync("ec", { namedCurve: "P-256" });
  const secret = Buffer.from(String(privateKey.export({ format: "jwk" }).d), "base64url");
  return { node: privateKey, ours: SigningKey.fromSecret(suite, new Uint8Array(secret)) };
}

/** A signature of Node with the lower `s`, as ledgers want it. */
function signedByNode(suite, key, message) {
  if (suite === "ed25519") return new Uint8Array(sign(null, message, key));
  const made = new Uint8Array(sign("sha256", message, { key, dsaEncoding: "ieee-p1363" }));
  const s = BigInt(`0x${Buffer.from(made.subarray(32)).toString("hex")}`);
  if (s > ORDER >> 1n) made.set(Buffer.from((ORDER - s).toString(16).padStart(64, "0"), "hex"), 32);
  return made;
}

test("no method of the client was left out that something calls", () => {
  const folders = ["../../dashboard/src", "src/sign", "src/client"].map((folder) => join(sdk, folder));
  const sources = folders.flatMap((folder) => readdirSync(folder, { recursive: true }).filter((name) => /\.tsx?$/.test(name)).map((name) => join(folder, name)));
  expect(sources.length).toBeGreaterThan(60);
  const all = sources.map((file) => readFileSync(file, "utf8")).join("\n");
  const names = UNASKED.map((method) => method.replace(/^async (\\\*)?/, ""));
  // `this.` as well, for methods of the client call each other.
  expect(names.filter((name) => new RegExp(`\\b(peer|client|this|#client)\\??\\.${name}\\b`).test(all))).toEqual([]);
});

test.each(["ed25519", "p256"])("%s signs and verifies as another implementation does, and refuses what was altered", (suite) => {
  for (let round = 0; round < 24; round += 1) {
    const { node, ours } = pair(suite);
    const message = new Uint8Array(randomBytes(round * 11));
    const publicKey = createPublicKey(node);
    const jwk = publicKey.export({ format: "jwk" });
    expect(base64url(suite === "ed25519" ? ours.publicKey.bytes : ours.publicKey.bytes.subarray(1))).toBe(jwk.x);
    const mine = ours.sign(message);
    expect(suite === "ed25519" ? verify(null, message, publicKey, mine) : verify("sha256", message, { key: publicKey, dsaEncoding: "ieee-p1363" }, mine)).toBe(true);
    expect(ours.sign(message)).toEqual(mine);
    const theirs = signedByNode(suite, node, message);
    expect(verifySignature(ours.publicKey, message, theirs)).toBe(true);
    for (const at of [0, 31, 32, 63]) expect(verifySignature(ours.publicKey, message, theirs.map((byte, index) => (index === at ? byte ^ 1 : byte)))).toBe(false);
    expect(verifySignature(ours.publicKey, new Uint8Array([...message, 0]), theirs)).toBe(false);
    expect(verifySignature(pair(suite).ours.publicKey, message, theirs)).toBe(false);
  }
});

test("signatures of any length but 64 bytes, the higher s, and keys that are no points are refused", () => {
  const { node, ours } = pair("p256");
  const message = new Uint8Array([1, 2, 3]);
  const good = signedByNode("p256", node, message);
  const high = good.slice();
  high.set(Buffer.from((ORDER - BigInt(`0x${Buffer.from(good.subarray(32)).toString("hex")}`)).toString(16).padStart(64, "0"), "hex"), 32);
  for (const bad of [high, good.subarray(1), new Uint8Array(64), new Uint8Array(64).fill(255), new Uint8Array(0)]) expect(verifySignature(ours.publicKey, message, bad)).toBe(false);
  for (const bytes of [new Uint8Array(33), new Uint8Array(33).fill(255), ours.publicKey.bytes.subarray(1), new Uint8Array(65).fill(4)]) expect(verifySignature({ suite: "p256", bytes }, message, good)).toBe(false);
  const edwards = pair("ed25519");
  for (const bad of [new Uint8Array(64).fill(255), new Uint8Array(63), new Uint8Array(64)]) expect(verifySignature(edwards.ours.publicKey, message, bad)).toBe(false);
  expect(verifySignature({ suite: "ed25519", bytes: new Uint8Array(31) }, message, new Uint8Array(64))).toBe(false);
});

test("digests are those of others, at every length about a block's", () => {
  const lengths = [0, 1, 55, 56, 63, 64, 65, 127, 128, 1023, 1024, 1025, 2048, 2049, 5000, 31_744];
  const bytes = (length) => Uint8Array.from({ length }, (_, at) => (at * 7) % 251);
  const expected = whole(`import { blake3 } from "@noble/hashes/blake3.js"; console.log(JSON.stringify(${JSON.stringify(lengths)}.map((length) => Buffer.from(blake3(Uint8Array.from({ length }, (_, at) => (at * 7) % 251))).toString("hex"))))`);
  expect(lengths.map((length) => Buffer.from(blake3(bytes(length))).toString("hex"))).toEqual(expected);
  for (const length of lengths) expect(Buffer.from(sha256(bytes(length)))).toEqual(createHash("sha256").update(bytes(length)).digest());
});

test("what is sealed is what another implementation seals, at every length about a block's, and opens only as it was", () => {
  const bytes = (length, by) => Uint8Array.from({ length }, (_, at) => (at * by + length) % 256);
  for (const length of [0, 1, 15, 16, 17, 32, 63, 64, 65, 127, 128, 129, 1000, 20_000]) {
    for (const about of [undefined, bytes(0, 3), bytes(1, 5), bytes(16, 7), bytes(45, 9)]) {
      const [key, nonce, message] = [bytes(32, 211), bytes(12, 101), bytes(length, 7)];
      const node = createCipheriv("chacha20-poly1305", key, nonce, { authTagLength: 16 });
      if (about) node.setAAD(about);
      const theirs = Buffer.concat([node.update(message), node.final(), node.getAuthTag()]);
      const mine = chacha20poly1305(key, nonce, about).encrypt(message);
      expect(Buffer.from(mine)).toEqual(theirs);
      expect(chacha20poly1305(key, nonce, about).decrypt(mine)).toEqual(message);
      for (const at of [0, length, length + 15]) expect(() => chacha20poly1305(key, nonce, about).decrypt(mine.map((byte, index) => (index === at ? byte ^ 1 : byte)))).toThrow();
      expect(() => chacha20poly1305(key, nonce, about).decrypt(mine.subarray(1))).toThrow();
      expect(() => chacha20poly1305(key, nonce, bytes(2, 2)).decrypt(mine)).toThrow();
    }
  }
  for (const [key, nonce] of [[31, 12], [33, 12], [16, 12], [32, 11], [32, 24]]) expect(() => chacha20poly1305(bytes(key, 1), bytes(nonce, 1)).encrypt(bytes(4, 1))).toThrow();
  expect(() => chacha20poly1305(bytes(32, 1), bytes(12, 1)).decrypt(bytes(15, 1))).toThrow();
});

test("keys are agreed on and derived as another implementation does, of any length", () => {
  for (let round = 0; round < 12; round += 1) {
    const [mine, theirs] = [generateKeyPairSync("x25519"), generateKeyPairSync("x25519")];
    const raw = (key, part) => new Uint8Array(Buffer.from(key.export({ format: "jwk" })[part], "base64url"));
    const shared = diffieHellman({ privateKey: mine.privateKey, publicKey: theirs.publicKey });
    expect(Buffer.from(x25519.getSharedSecret(raw(mine.privateKey, "d"), raw(theirs.publicKey, "x")))).toEqual(shared);
    expect(x25519.getPublicKey(raw(mine.privateKey, "d"))).toEqual(raw(mine.publicKey, "x"));
    const [salt, info] = [randomBytes(round), randomBytes(3 * round)].map((bytes) => new Uint8Array(bytes));
    for (const length of [1, 12, 31, 32, 33, 64, 65, 200]) expect(Buffer.from(expand(hash, extract(hash, new Uint8Array(shared), salt), info, length))).toEqual(Buffer.from(hkdfSync("sha256", shared, salt, info, length)));
  }
  // Points of small order are agreed with by nobody (RFC 7748, 6.1).
  const prime = (1n << 255n) - 19n;
  for (const u of [0n, 1n, prime - 1n, prime, prime + 1n, 325606250916557431795983626356110631294008115727848805560023387167927233504n, 39382357235489614581723060781553021112529911719440698176882885853963445705823n]) {
    const point = Uint8Array.from(u.toString(16).padStart(64, "0").match(/../g), (pair) => Number.parseInt(pair, 16)).reverse();
    for (const fill of [1, 7, 255]) expect(() => x25519.getSharedSecret(new Uint8Array(32).fill(fill), point)).toThrow();
  }
});

test("a key file that the whole libraries sealed opens, and the other way round; a wrong passphrase opens neither", async () => {
  const made = whole(`import { sealKeyFile } from "./build/src/sign/key-file.js"; import { SigningKey } from "./build/src/index.js";
    const key = SigningKey.generate(); console.log(JSON.stringify({ secret: Buffer.from(key.secret()).toString("hex"), text: await sealKeyFile({ key }, "open sesame") }));`);
  const { key } = await openKeyFile(made.text, "open sesame");
  expect(Buffer.from(key.secret()).toString("hex")).toBe(made.secret);
  await expect(openKeyFile(made.text, "open barley")).rejects.toMatchObject({ kind: "passphrase-wrong" });
  const text = await sealKeyFile({ key }, "another");
  const opened = whole(`import { openKeyFile } from "./build/src/sign/key-file.js"; const { key } = await openKeyFile(${JSON.stringify(text)}, "another"); console.log(JSON.stringify(Buffer.from(key.secret()).toString("hex")))`);
  expect(opened).toBe(made.secret);
}, 60_000);

test("what is tested here is what is built in: the cuts are made", () => {
  const id = `${sdk}node_modules/@noble/curves/abstract/weierstrass.js`;
  const left = leaner(readFileSync(id, "utf8"), id) ?? "";
  expect(left).not.toMatch(/function getSharedSecret|^ *validateObject\(opts/m);
  expect(left).toContain("isValidXY(x, y)");
  expect(() => leaner("export {};", id)).toThrow("otherwise by now");
  expect(leaner("throw new Error('x');", "/src/app.tsx")).toBeUndefined();
});
