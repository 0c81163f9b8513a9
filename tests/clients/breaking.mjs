// What would break clients of the last release: `node breaking.mjs RELEASED.graphql SCHEMA.graphql`. Prints each
// breaking change, and ends with 1 if there is one. Fields are deprecated, not removed.

import { readFileSync } from 'node:fs';

import { buildSchema, findBreakingChanges, findDangerousChanges } from 'graphql';

const [released, current] = process.argv.slice(2).map((file) => buildSchema(readFileSync(file, 'utf8')));
// A default that changes is as bad as a field that goes.
const dangerous = findDangerousChanges(released, current).filter(({ type }) => type === 'ARG_DEFAULT_VALUE_CHANGE');
const breaking = [...findBreakingChanges(released, current), ...dangerous];
for (const { type, description } of breaking) console.log(`${type}: ${description}`);
process.exitCode = breaking.length > 0 ? 1 : 0;
