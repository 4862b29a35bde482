import { readFileSync } from 'node:fs';
import { Client, parseGenesis, verify } from 'althing';

const [, , url = 'http://127.0.0.1:4464', folder = 'demo-data'] = process.argv;
const genesis = parseGenesis(readFileSync(`${folder}/genesis.json`, 'utf8'));
const client = new Client(url);
const { items: [thing] } = await client.things({ property: 'temperature', limit: 1 });
const { stream, latest } = await client.property(thing.id, 'temperature');
const { claim, steps } = verify(await client.proveReading(stream, latest.reading.seq), genesis);
console.log(`${claim.stream.name} measured ${claim.valueText}, verified:`);
for (const { step, text } of steps) console.log(`  ${step.padEnd(12)} ${text}`);
