/**
 * Leaves out of the libraries of signatures and digests, and of the client, what this page does not need, for they serve far more than one page: words for programmers,
 * checks of arguments that TypeScript has looked at and of curves that never change, processors that no browser has, and what nothing comes to. Checks of
 * what comes from outside all stay. `test/unit/noble.test.mjs` compares what is left with another implementation.
 */

import { HOOKS, PREACT } from "./preact.ts";

/** Errors without their words: it only counts that they refuse, and pages say why in words of their own. */
const WORDS = /\bthrow new (\w*Error)\((?:[^;`'"]|'[^'\n]*'|"[^"\n]*"|`[^`]*`)*\);/g;

/** Statements that only look at what kind of value a programmer passed. */
const KINDS =
  /^( *)(?:validate(?:Object|PointCons|Field|MSMPoints|MSMScalars|W|TableBytes)|a(?:bool|number_?|safenumber|function|array|hash|object|opts|exists|output|edpoint|prjpoint|oddModulus)|this\.assertPoint)\((?:[^();]|\((?:[^();]|\([^();]*\))*\))*\);(?: *\/\/[^\n]*)?\n/gm;

/** Nobody else is on this page who could change what is made here. */
const FROZEN = /^ *Object\.freeze\([\w.]+\);\n/gm;

/** A block that begins so, up to the brace of the same depth. */
const block = (head: string, after = "") => new RegExp(`^( *)${head}[^\\n]*\\{\\n(?:\\1 [^\\n]*\\n|\\n)*?\\1\\}${after},?\\n`, "m");
/** Functions and methods to which nothing comes. */
const uncalled = (...names: string[]) => names.map((name) => block(`(?:export )?(?:static |function )?${name}\\(`));

/** The first 64 bits of the fractional parts of roots of the first primes, each in its two halves, the higher first. */
const ROOTS = `export function roots(degree, count) {
  const halves = [];
  for (let of = 2n; halves.length < 2 * count; of++) {
    let divisor = 2n;
    while (of % divisor) divisor++;
    if (divisor < of) continue;
    let root = 0n;
    for (let bit = 1n << 69n; bit; bit >>= 1n) if ((root + bit) ** degree <= of << 64n * degree) root += bit;
    halves.push(Number(BigInt.asUintN(32, root >> 32n)), Number(BigInt.asUintN(32, root)));
  }
  return Uint32Array.from(halves);
}`;

/** Randomness comes from the browser. */
const RANDOM: [RegExp, string][] = [[/\w+\.randomBytes === undefined \? wcRandomBytes : \w+\.randomBytes/, "wcRandomBytes"]];

/** Methods of the client of the interface that this page does not call. */
export const UNASKED = ["notifications", "property", "grant", "voucher", "command", "codeModule", "rewardsBy", "escrow", "reward", "proveState", "taggedReadings", "policiesAt", "link", "askedCall", "takenCall", "agreement", "createWebhook", "webhooks", "pauseWebhook", "async deleteWebhook", "proposal", "async \\*alarmChanges", "async \\*peerChanges", "alarmLog", "configuration", "configurations", "checkConfiguration", "applyConfiguration", "async stopPeer", "async reportGateway"];

/** By the end of a file's path: what is cut, and what stands in its place. */
const CUTS: Record<string, (RegExp | [RegExp | string, string | ((...found: string[]) => string)])[]> = {
  "preact/dist/preact.mjs": PREACT,
  "preact/hooks/dist/hooks.mjs": HOOKS,
  "curves/abstract/der.js": [[/^[^]*$/, "export const DER = {}; export class DERErr extends Error {}"]],
  "curves/abstract/modular.js": [
    // Ed25519 brings its own square roots, and the other field is 3 modulo 4.
    [/if \(P % _8n === _5n\)[^]*?return tonelliShanks\(P\);/, "throw new Error();"],
    ...uncalled("cmov", "invertBatch"),
    // Fields of one width, whose elements have all their bytes.
    /if \(typeof opts\.BITS === 'number'\)\s+_nbitLength = opts\.BITS;/,
    /if \(typeof opts\.sqrt === 'function'\)[^]*?enumerable: true \}\);/,
    /if \(opts\.allowedLengths\)\s+[^\n]*/,
    /if \(typeof opts\.modFromBytes === 'boolean'\)\s+[^\n]*/,
    block("if \\(allowedLengths\\)"),
    /if \(modFromBytes\)\s+[^\n]*/,
    [/const \{ _lengths: allowedLengths, BYTES, isLE, ORDER, _mod: modFromBytes \}/, "const { BYTES, isLE }"],
    /_lengths;\n *_mod;/,
  ],
  "curves/abstract/curve.js": [block("for \\(const p of \\['p'"), block("for \\(const p of params"),
    // Secrets multiply the base point only, for which there is a table.
    /if \(W === 1\)\s+return this\.fixedWindowCT\(point, n, bits\);\n/,
    ...uncalled("fixedWindowCT"),
  ],
  // One curve of the two, agreed on now and then. Points of small order come to zero, which is refused.
  "curves/abstract/montgomery.js": [
    [/const is25519 = [^]*?const modP/, "const swap = cswap(P), fieldLen = 32, montgomeryBits = 255, Gu = 9n, a24 = 121665n;\n    const modP"],
    [/if \(is25519\)\s+_u/, "_u"],
    /const lowOrderU = [^]*?P - _1n\]\);/,
    /if \(lowOrderU\.has\(pointU\)\)\s+throw new Error\(\);/,
    [/if \(mulBaseHook === undefined\)\s+return scalarMult\(scalar, GuBytes\);[^]*?\n {4}\}\n/, "return scalarMult(scalar, GuBytes);\n    }\n"],
    ...[0, 1].map(() => /aInRange\([^\n]*\n/),
    /const lengths = [^]*?const utils = [^\n]*\n/,
    [/return Object\.freeze\(\{\s+keygen[^]*?\}\);/, "return { getSharedSecret, getPublicKey };"],
  ],
  "curves/ed25519.js": [/scalarMultBase: \(k\) => \{[^]*?\n {8}\},\n/, [/toMontgomery, toMontgomerySecret, zip215/, "zip215"]],
  "curves/abstract/weierstrass.js": [
    [/const endo = endoOpts[^]*?: undefined;/, "const endo = undefined;"],
    block("if \\(endoOpts\\)"),
    ...RANDOM, ...RANDOM, ...RANDOM,
    [/toBytes === undefined \? pointToBytes : toBytes/, "pointToBytes"],
    [/fromBytes === undefined \? pointFromBytes : fromBytes/, "pointFromBytes"],
    [/opts\.hmac === undefined\s+\? (\(key, msg\) => nobleHmac\(hash_, key, msg\))\s+: opts\.hmac/, "$1"],
    /if \(allowInfinityPoint && length[^]*?Fp\.ZERO \};/,
    /if \(allowInfinityPoint && Fp[^]*?return;/,
    // Of signatures only those of 64 bytes, from which no key is found again, and which are made without further randomness.
    ...uncalled("hasEvenY", "subtract", "clearCofactor", "isSmallOrder", "toString", "toHex", "fromHex", "isProbPub", "getSharedSecret", "assertRecovery", "addRecoveryBit", "recoverPublicKey"),
    ...uncalled("toHex", "fromHex", "recoverPublicKey", "multiplyUnsafe"),
    [/return Object\.freeze\(\{ getPublicKey, getSharedSecret, /, "return Object.freeze({ getPublicKey, "],
    [/const \{ keygen, getPublicKey, getSharedSecret, /, "const { keygen, getPublicKey, "],
    /^ *getSharedSecret,\n/m,
    /^ *recoverPublicKey,\n/m,
    block("if \\(recovery != null\\)"),
    [/let recovery = getRecoveryBit[^\n]*/, ""],
    /^ *recovery \^= 1;[^\n]*\n/m,
    [/new Signature\(r, normS, [^)]*\)/, "new Signature(r, normS)"],
    block("if \\(format === 'der'\\)"),
    block("if \\(format === 'recovered'\\)"),
    /if \(format === 'der'\)\s+return [^\n]*\n/,
    block("if \\(format === 'recovered'\\)"),
    /if \(format === 'recovered' &&[^\n]*\s+return false;\n/,
    block("if \\(extraEntropy != null"),
    // That the curve is one.
    /if \(!isValidXY\(CURVE\.Gx, CURVE\.Gy\)\)\s+throw new Error\(\);\n/,
    /const _4a3[^]*?throw new Error\(\);\n/,
  ],
  "curves/abstract/edwards.js": [
    ...RANDOM, ...RANDOM,
    [/const uvRatio = opts\.uvRatio === undefined[^;]*;[^;]*;[^:]*: opts\.uvRatio;/, "const uvRatio = opts.uvRatio;"],
    [/opts\.adjustScalarBytes === undefined[^;]*;/, "opts.adjustScalarBytes;"],
    [/const domain = [^]*?: opts\.domain;/, "const domain = (data) => data;"],
    ...uncalled("fromHex", "assertValidity", "isTorsionFree", "toHex", "toString", "toMontgomery", "toMontgomerySecret", "isValidPublicKey", "isValidSecretKey"),
    /^ *isValidSecretKey,\n *isValidPublicKey,\n/m,
    /if \(FpLegendre\(Fp, CURVE\.a\)[^]*?throw new Error\(\);\n/,
    /if \(FpLegendre\(Fp, CURVE\.d\)[^]*?throw new Error\(\);\n/,
    /if \(!isEdValidXY\(Fp, CURVE, CURVE\.Gx, CURVE\.Gy\)\)\s+throw new Error\(\);\n/,
  ],
  // Without keys, salts and outputs of any length.
  "hashes/blake2.js": [
    [/import \{ SHA256_IV \}/, "import { SHA256_IV, SHA512_IV }"],
    [/const B2B_IV = [^;]*;/, "const B2B_IV = SHA512_IV.map((_, at) => SHA512_IV[at ^ 1]);"],
    ...uncalled("_cloneInto", "clone"),
    block("if \\(key !== undefined\\)"),
    block("if \\(salt !== undefined\\)"),
    block("if \\(personalization !== undefined\\)"),
    block("if \\(key !== undefined\\)"),
    [/checkBlake2Opts\(olen, opts, 64, 16, 16\);/, ""],
    // Only key files ask for this digest, so that its state may as well be an array.
    [/(?: *v\dl = B2B_IV\[\d+\] \| 0;\n *v\dh = B2B_IV\[\d+\] \| 0;\n){8}/, "state = B2B_IV.slice();\n"],
    [/this\.v0l \^= this\.outputLen/, "this.state[0] ^= this.outputLen"],
    [/let \{ v0l, [^}]*\} = this;\s+return \[v0l[^\]]*\];/, "return this.state;"],
    [/ set\(v0l, [^{]*\{(?:\s+this\.v\d[lh] = v\d[lh] \| 0;)+/, " set() { this.state.fill(0);"],
    [/const \{ v0l, [^}]*\} = this;[^{]*\{(?:\s+BBUF\[\d+\] = v\d[lh];)+\s+\}/, "BBUF.set(this.state);"],
    [/this\.v0l \^= BBUF\[0\][^]*?this\.v7h \^= [^;]*;/, "for (let i = 0; i < 16; i++) this.state[i] ^= BBUF[i] ^ BBUF[i + 16];"],
  ],
  "hashes/blake3.js": [...uncalled("_cloneInto", "xofInto", "xof"), [/if \(key !== undefined\) \{[^]*?(?=this\.IV = B3_IV;)/, "{"]],
  "hashes/hmac.js": uncalled("_cloneInto", "clone"),
  // Each block from the one before, rather than from a copy of a state half way.
  "hashes/hkdf.js": [[/^export function expand\([^]*?\n\}\n/m, `export function expand(hash, prk, info, length) {
  let block = new Uint8Array(), all = block;
  for (let count = 1; all.length < length; count++) all = concatBytes(all, (block = hmac(hash, prk, concatBytes(block, info, Uint8Array.of(count)))));
  return all.slice(0, length);
}
`], [/import \{ abytes[^;]*;/, 'import { concatBytes } from "./utils.js";']],
  // The constants of the digests are roots of the first primes: they are worked out, for nothing compresses less than their digits.
  "hashes/_md.js": [
    ...uncalled("_cloneIntoMeta", "clone"),
    [/export const SHA256_IV = [^;]*;/, ROOTS],
    [/export const SHA512_IV = [^;]*;/, "export const SHA512_IV = roots(2n, 8); export const SHA256_IV = SHA512_IV.filter((_, at) => at % 2 < 1);"],
  ],
  "hashes/sha2.js": [
    ...uncalled("_cloneInto"),
    ...uncalled("_cloneInto"),
    [/import \{ Chi,/, "import { roots, Chi,"],
    [/this\.A = IV\[0\][^]*?this\.H = IV\[7\] \| 0;/, "this.set(...IV);"],
    [/this\.Ah = IV\[0\][^]*?this\.Hl = IV\[15\] \| 0;/, "this.set(...IV);"],
    [/this\.set\(0, 0[^)]*\)/, "this.set()"],
    [/this\.set\(0, 0[^)]*\)/, "this.set()"],
    /const SHA256_K = [^;]*;/,
    // Of the longer ones the first halves.
    [/SHA256_K\[i\] \+ SHA256_W/, "SHA512_Kh[i] + SHA256_W"],
    [/const K512 = [^]*?\)\)\(\);/, "const K512 = roots(3n, 80);"],
    [/const SHA512_Kh = [^;]*;/, "const SHA512_Kh = K512.filter((_, at) => at % 2 < 1);"],
    [/const SHA512_Kl = [^;]*;/, "const SHA512_Kl = K512.filter((_, at) => at % 2);"],
  ],
  // Asked by key files alone, which bound its costs, and with bytes.
  "hashes/argon2.js": [
    [/if \(!isU32\(dkLen\)[^]*?return merged;/, "return merged;"],
    [/if \(!isU32\(passwordBytes\.length\)\)[^]*?(?=let \{ p, dkLen)/, ""],
    [/kdfInputToBytes\(password, 'password'\)/, "password"],
    [/kdfInputToBytes\(salt, 'salt'\)/, "salt"],
    [/const keyInput[^]*?'personalization'\)\);\n/, "key = personalization = new Uint8Array();\n"],
    [/const rememberOwned = [^]*?\n {4}\};\n/, "const rememberOwned = (_, bytes) => bytes;\n"],
    [/if \(!isU32\(maxmem\)\)[^]*?(?=const B = )/, ""],
  ],
  // What keys and readings are sealed with: keys of 32 bytes, nonces of 12, each result in an array of its own, and rounds as loops where speed would unroll them,
  // as the same authors have them in `test/misc/micro-ciphers.ts`. What is sealed here is some kilobytes.
  "ciphers/_arx.js": [
    [/import \{ abool[^;]*;/, 'import { clean, copyBytes, u32, utf8ToBytes } from "@noble/hashes/utils.js";'],
    [/const encodeStr = [^]*?sigma16_32[^\n]*\n/, ""],
    [/swap32IfBE\(u32\(encodeStr\(('[^']*')\)\)\)/, "u32(utf8ToBytes($1))"],
    block("if \\(!isLE\\)"),
    /const isAligned[^]*?(?=for \(let pos = 0)/,
    [/, rounds\) \{/, ") {"],
    [/, rounds\);/, ");"],
    block("if \\(isAligned && take === BLOCK_LEN\\)"),
    [/createCipher\(core, opts\)/, "createCipher(core)"],
    [/const \{ allowShortKeys[^]*?\n\}\n/, `return (key, nonce, data, output = new Uint8Array(data.length), counter = 0) => {
      if (key.length !== 32 || nonce.length !== 12) throw new Error();
      const k = copyBytes(key);
      runCipher(core, sigma32_32, u32(k), u32(copyBytes(nonce)), data, output, counter);
      clean(k);
      return output;
    };
}
`],
  ],
  "ciphers/_poly1305.js": [[/^[^]*$/, `import { bytesToNumberLE, numberToBytesLE } from "@noble/curves/utils.js";
export function poly1305(message, key) {
  const r = bytesToNumberLE(key.subarray(0, 16)) & 0x0ffffffc0ffffffc0ffffffc0fffffffn;
  let sum = 0n;
  for (let at = 0; at < message.length; at += 16) {
    const part = message.subarray(at, at + 16);
    sum = ((sum + bytesToNumberLE(part) + (1n << BigInt(8 * part.length))) * r) % ((1n << 130n) - 5n);
  }
  return numberToBytesLE(BigInt.asUintN(128, sum + bytesToNumberLE(key.subarray(16))), 16);
}`]],
  "ciphers/chacha.js": [
    [/import \{ abytes[^;]*;/, 'import { clean, concatBytes } from "@noble/hashes/utils.js"; import { equalBytes } from "@noble/curves/utils.js"; import { u64Lengths } from "./utils.js";'],
    ...[0, 1].map((): [RegExp, string] => [/createCipher\(chachaCore, \{[^}]*counterLength: [48],[^}]*\}\)/, "createCipher(chachaCore)"]),
    [/let y00 = s\[0\][^]*?out\[oi\+\+\] = \(y15[^\n]*/, `const y = [...s, ...k, cnt, ...n], x = [...y];
    const mix = (a, b, c, d) => [16, 12, 8, 7].forEach((bits, at) => {
      const [to, by, turned] = at & 1 ? [c, d, b] : [a, b, d];
      x[to] = (x[to] + x[by]) | 0;
      x[turned] = rotl(x[turned] ^ x[to], bits);
    });
    for (let r = 0; r < 20; r++) for (let at = 0; at < 4; at++) {
      const row = (of) => 4 * of + ((at + (r & 1) * of) & 3);
      mix(at, row(1), row(2), row(3));
    }
    y.forEach((word, at) => (out[at] = word + x[at]));`],
    block("const updatePadded = \\(h, msg\\) =>", ";"),
    /if \(AAD !== undefined\)\s+abytes[^\n]*/,
    [/const h = poly1305\.create[^]*?h\.digest\(\);/, "const padded = (bytes) => concatBytes(bytes, new Uint8Array(-bytes.length & 15));\n    const res = poly1305(concatBytes(padded(AAD ?? new Uint8Array()), padded(ciphertext), lengths), authKey);"],
    [/getOutput\(plength \+ tagLength, output, false\)/, "new Uint8Array(plength + tagLength)"],
    [/getOutput\(ciphertext\.length - tagLength, output, false\)/, "new Uint8Array(ciphertext.length - tagLength)"],
    [/wrapCipher\(\{ blockSize: 64, nonceLength: 12, tagLength: 16, withAAD: true \}, /, "("],
  ],
  // Its table of sixteen columns as digits; the rows behind are those of other digests.
  "hashes/_blake.js": [[/Uint8Array\.from\(\[([^]*?)\/\/[^\]]*\]\)/, (_, rows) => `Uint8Array.from("${[...rows.matchAll(/\d+/g)].map(([digit]) => Number(digit).toString(16)).join("")}", (digit) => parseInt(digit, 16))`]],
  // What no page asks for; `noble.test.mjs` looks whether one does.
  "src/client/client.ts": uncalled(...UNASKED),
  "hashes/utils.js": [[/isLE = [^\n]*;/, "isLE = true;"]],
};

/** Names that the libraries use among themselves and nobody else: two letters do. */
const AMONG_THEMSELVES =
  "outputLen blockLen isValidNot0 digestInto toAffine buffer32 publicKeyUncompressed chunkPos baseCanBeBlinded wnafPrecomputes nonceLength multiplyUnsafe chunksDone counterLength posOut getWnafPrecomputes adjustScalarBytes bufferOut32 validateMulInput pointBytes fromAffine assertValidity allowShortKeys mulUnsafe setWindowSize isTorsionFree clearCofactor bits2int_modN b2CompressOut wnafCachedCT counterRight nByteLength laneLen segmentLen roundClean nBitLength isValid finished negate multiply precompute scalar padOffset b2Compress keygen toBytes".split(" ");
const WITHIN = new RegExp(`\\b(?:${AMONG_THEMSELVES.join("|")})\\b`, "g");
const shorter = (name: string) => `$${AMONG_THEMSELVES.indexOf(name).toString(36)}`;

/** What is left of a file; throws if it is no longer what the cuts are made for. */
export function leaner(code: string, id: string): string | undefined {
  const isNoble = /@noble\/.*\.js$/.test(id);
  const [, cuts = []] = Object.entries(CUTS).find(([file]) => id.endsWith(file)) ?? [];
  if (!isNoble && cuts.length === 0) return undefined;
  const left = cuts.reduce<string>((left, cut) => {
    const [what, instead] = cut instanceof RegExp ? [cut, ""] : cut;
    if (typeof what === "string" ? left.split(what).length !== 2 : !what.test(left)) throw new Error(`${id} is otherwise by now: it has no ${what}`);
    return left.replace(what, instead as string);
  }, !isNoble ? code : code.replace(WORDS, "throw new $1();").replace(KINDS, "$1;\n").replace(FROZEN, ""));
  return isNoble ? left.replace(WITHIN, shorter) : left;
}

export const leanNoble = {
  name: "lean-noble",
  enforce: "pre" as const,
  transform: (code: string, id: string) => {
    const left = leaner(code, id);
    return left === undefined ? undefined : { code: left, map: null };
  },
};
