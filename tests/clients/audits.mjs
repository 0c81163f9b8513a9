// Runs every audit of the npm package `graphql-http` (MUST, SHOULD and MAY) against a server; prints the results
// as JSON. Audits of their own process would hide each other's failures, so a fatal one is a result too.
//
// node audits.mjs http://127.0.0.1:8080/graphql

import { serverAudits } from 'graphql-http';

const url = process.argv[2];
const results = [];
for (const audit of serverAudits({ url })) {
  try {
    const { id, name, status, reason } = await audit.fn();
    results.push({ id, name, status, reason });
  } catch (fatal) {
    results.push({ id: audit.id, name: audit.name, status: 'fatal', reason: String(fatal) });
  }
}
console.log(JSON.stringify(results));
