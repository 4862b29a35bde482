// A contract to look at: testdata/contracts/base.wat, with `(call $db_write (i32.const 32) (i32.const 48))` where it executes,
// and an answer to each question, as wat2wasm of wabt assembles it. Its call writes a value; asked, it says `{"open":true}`.

const MODULE = [
  "AGFzbQEAAAABHwZgAX8Bf2ACf38AYAF/AGADf39/AX9gAABgAn9/AX8CmgEKA2VudgdkYl9yZWFkAAADZW52CGRiX3dyaXRlAAEDZW52CWRiX3JlbW92ZQAC",
  "A2VudgdkYl9zY2FuAAMDZW52B2RiX25leHQAAANlbnYLZGJfbmV4dF9rZXkAAANlbnYNYWRkcl92YWxpZGF0ZQAAA2VudgtxdWVyeV9jaGFpbgAAA2VudgVk",
  "ZWJ1ZwACA2VudgVhYm9ydAACAwoJBAACAAMDBQUFBQMBABEGCAF/AUGAgAQLB2oJBm1lbW9yeQIAE2ludGVyZmFjZV92ZXJzaW9uXzgACghhbGxvY2F0ZQAL",
  "CmRlYWxsb2NhdGUADAtpbnN0YW50aWF0ZQAOB2V4ZWN1dGUADwVxdWVyeQAQB21pZ3JhdGUAEQVyZXBseQASCl4JAgALLwEBfyMAIQEgASABQQxqNgIAIAEg",
  "ADYCBCABQQA2AgggASAAakEbakFwcSQAIAELAgALBAAgAAsEAEEQCwwBAn9BIEEwEAFBEAsFAEHAAAsEAEEQCwQAQRALC5kBCABBgAILFnsib2siOnsibWVz",
  "c2FnZXMiOltdfX0AQRALDAABAAAWAAAAFgAAAABBgAQLA2tleQBBIAsMAAIAAAMAAAADAAAAAEGABgsFdmFsdWUAQTALDAADAAAFAAAABQAAAABBgAgLHXsi",
  "b2siOiJleUp2Y0dWdUlqcDBjblZsZlE9PSJ9AEHAAAsMAAQAAB0AAAAdAAAA",
];

/** The module. */
export const contractModule = () => Buffer.from(MODULE.join(""), "base64");
