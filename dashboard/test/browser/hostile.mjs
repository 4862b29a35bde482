// Texts that try to become more than text.

const MARKUP = [
  '<img src=x onerror="window.pwned=1">', "<script>window.pwned=1</script>", '"><svg onload=window.pwned=1>', "javascript:window.pwned=1",
  "<iframe srcdoc='<script>parent.pwned=1</script>'>", "</title><script>window.pwned=1</script>", "{{constructor.constructor('window.pwned=1')()}}",
  "${window.pwned=1}", "<a href=javascript:window.pwned=1>x</a>", "'-window.pwned-'", "<style>*{display:none}</style>", "<base href=//evil.example>",
  "<meta http-equiv=refresh content='0;url=//evil.example'>", "]]><script>window.pwned=1</script>", "<math><mtext></mtext><script>window.pwned=1</script>",
  "\u202eevil\u202c", "a\u0000b", "\u200b\u200b", "​𝕬𝖑𝖙𝖍𝖎𝖓𝖌", "%3Cscript%3E", "&lt;script&gt;", "\\u003cscript\\u003e", "../../../etc/passwd", "__proto__", "constructor",
];

/** Two hundred of them, each another. */
export const HOSTILE = Array.from({ length: 200 }, (_, at) => {
  const text = MARKUP[at % MARKUP.length];
  const wrap = [(x) => x, (x) => `${x}${x}`, (x) => `"${x}`, (x) => `'>${x}`, (x) => `<!--${x}-->`, (x) => x.toUpperCase(), (x) => `${"A".repeat(60)}${x}`, (x) => `${x}\n${at}`];
  return wrap[Math.floor(at / MARKUP.length) % wrap.length](text);
});
