// Writes src/client/model from docs/reference/openapi.json: the forms of the interface and the
// parameters of its requests. A test compares the files with what this gives.
//
//     npm run model

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';

const DOCUMENT = new URL('../../../docs/reference/openapi.json', import.meta.url);
const FOLDER = new URL('../src/client/model/', import.meta.url);
/** The files by the last initial of the forms in them: none may grow beyond what one reads at a time. */
const FILES = { B: 'a-to-b.ts', F: 'c-to-f.ts', O: 'g-to-o.ts', R: 'p-to-r.ts', S: 's.ts', Z: 't-to-z.ts' };
const HEAD = '// Written by scripts/model.mjs from docs/reference/openapi.json. Do not edit: npm run model.\n\n';

const PAGE = `/** A part of a list: pass \`next\` as \`after\` to go on; it is absent on the last page. */
export interface Page<T> {
  /** The items, in order. */
  items: T[];
  /** Pass as \`after\` to go on; absent on the last page. */
  next?: string;
}
`;

/** The modules that belong to an OpenAPI document: file name and text. */
export function modules(document) {
  const schemas = Object.entries(document.components.schemas).filter(([name]) => !name.startsWith('Page_'));
  const parts = Object.fromEntries([...Object.values(FILES), 'requests.ts'].map((file) => [file, []]));
  const fileOf = (name) => FILES[Object.keys(FILES).find((last) => name[0].toUpperCase() <= last)];
  for (const [name, schema] of schemas) parts[fileOf(name)].push(...declaration(name, schema));
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const operation of Object.values(methods)) parts['requests.ts'].push(...query(path, operation));
  }
  const names = schemas.map(([name]) => name);
  const texts = Object.entries(parts).map(([file, lines]) => [file, HEAD + imports(lines, names) + lines.join('\n')]);
  const exports = Object.keys(parts).map((file) => `export type * from './${file}';\n`).join('');
  return Object.fromEntries([...texts, ['index.ts', `${HEAD}${exports}\n${PAGE}`]]);
}

function imports(lines, names) {
  const code = lines.filter((line) => !/^ *(\/\*\*|\*)/.test(line)).join('\n');
  const declared = new Set([...code.matchAll(/export (?:interface|type) (\w+)/g)].map((match) => match[1]));
  // Names of forms may stand in comments as words.
  const plain = code.replace(/\/\*\*[^]*?\*\//g, '');
  const used = names.filter((name) => !declared.has(name) && new RegExp(`\\b${name}\\b`).test(plain));
  return used.length === 0 ? '' : `import type { ${used.join(', ')} } from './index.ts';\n\n`;
}

function declaration(name, schema) {
  const doc = comment(schema.description, '');
  if (schema.type === 'object' && schema.properties) {
    return [...doc, `export interface ${name} {`, ...fields(schema, '  '), '}', ''];
  }
  return [...doc, `export type ${name} =${union(schema)};`, ''];
}

function union(schema) {
  if (!schema.oneOf) return ` ${type(schema, '')}`;
  return schema.oneOf.map((each) => `${each.description ? `\n  /** ${flat(each.description)} */` : ''}\n  | ${line(each)}`).join('');
}

/** An alternative on one line: its fields are explained by the documents. */
function line(schema) {
  if (!schema.properties) return type(schema, '  ');
  const required = new Set(schema.required ?? []);
  const entries = Object.entries(schema.properties).sort(([a], [b]) => (b === 'type') - (a === 'type'));
  return `{ ${entries.map(([name, each]) => `${name}${required.has(name) ? '' : '?'}: ${type(each, '')}`).join('; ')} }`;
}

function flat(text) {
  return text.replaceAll('\n', ' ').replaceAll('*/', '* /');
}

function fields(schema, indent) {
  const required = new Set(schema.required ?? []);
  return Object.entries(schema.properties).flatMap(([name, each]) => {
    const key = /^[A-Za-z_]\w*$/.test(name) ? name : `'${name}'`;
    const optional = required.has(name) ? '' : '?';
    return [...comment(describe(each), indent), `${indent}${key}${optional}: ${type(each, indent)};`];
  });
}

function describe(schema) {
  return schema.description ?? schema.oneOf?.find((each) => each.description)?.description;
}

function type(schema, indent) {
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.allOf) return schema.allOf.map((each) => type(each, indent)).join(' & ');
  if (schema.oneOf) {
    // A field that may be null is left out instead; see the pages of the interface.
    return schema.oneOf.filter((each) => each.type !== 'null').map((each) => type(each, indent)).join(' | ');
  }
  if (schema.enum) return schema.enum.map((value) => `'${value}'`).join(' | ');
  const plain = Array.isArray(schema.type) ? schema.type.find((each) => each !== 'null') : schema.type;
  if (plain === 'array') return `${wrapped(type(schema.items, indent))}[]`;
  if (plain === 'object' && schema.properties) return `{\n${fields(schema, `${indent}  `).join('\n')}\n${indent}}`;
  return { integer: 'number', number: 'number', boolean: 'boolean', string: 'string' }[plain] ?? 'unknown';
}

function wrapped(text) {
  return text.includes(' | ') ? `(${text})` : text;
}

function query(path, operation) {
  const parameters = (operation.parameters ?? []).filter((each) => each.in === 'query');
  if (parameters.length === 0) return [];
  const name = operation.operationId.replace(/(^|_)(.)/g, (_, _gap, first) => first.toUpperCase());
  const lines = parameters.flatMap((each) => {
    const optional = each.required ? '' : '?';
    return [...comment(each.description, '  '), `  ${each.name}${optional}: ${type(each.schema, '  ')};`];
  });
  return [`/** Parameters of \`${path}\`. */`, `export interface ${name}Query {`, ...lines, '}', ''];
}

function comment(text, indent) {
  if (!text) return [];
  const lines = text.replaceAll('*/', '* /').split('\n');
  if (lines.length === 1) return [`${indent}/** ${lines[0]} */`];
  return [`${indent}/**`, ...lines.map((line) => `${indent} * ${line}`), `${indent} */`];
}

/** What the committed modules should be. */
export function expected() {
  return modules(JSON.parse(readFileSync(DOCUMENT, 'utf8')));
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  for (const [file, text] of Object.entries(expected())) writeFileSync(new URL(file, FOLDER), text);
  console.log(`wrote ${fileURLToPath(FOLDER)}`);
}
