// What stock @event-driven-io/emmett-postgresql does on the database whose address is given: appends, read + decide +
// append, and its consumer over the whole log. Prints one JSON document.
// Usage: node main.mjs postgres://… SECONDS EVENTS

import { dumbo } from "@event-driven-io/dumbo";
import { DeciderCommandHandler, EmmettError } from "@event-driven-io/emmett";
import { getPostgreSQLEventStore, readMessagesBatch } from "@event-driven-io/emmett-postgresql";
import { readFileSync } from "node:fs";
import pg from "pg";

const [url, seconds = "3", events = "4000"] = process.argv.slice(2);
const IN_FLIGHT = [1, 8, 32];
const MESSAGES_PER_CONVERSATION = 20;
/** Connections: as many as there is in flight at most. */
const CONNECTIONS = 32;
/** Messages that the consumer takes at once; its default of 100 is slower. */
const BATCH = 1000;
const REPLAY_MS_MAX = 60_000;

// About 390 bytes of payload and 130 of metadata, as everybody's.
const text = "Hello! Do you still have some peaches? ".repeat(6).slice(0, 202);
const hex = (number) => number.toString(16).padStart(32, "0");
const message = (number) => ({
  type: "MessageReceived",
  data: {
    channel: "c41f9d3ae8728b6d9a0b1c2d3e4f5a6b",
    message: hex(number),
    provider_message_id: `m_AbCdEfGhIjKlMnOp-${String(number).padStart(12, "0")}`,
    text,
    provider_at: 1789999997500000,
  },
  metadata: { actor: "contact", causation: hex(number), correlation: hex(number), recorded_at: "1789999997500000" },
});
const size = JSON.stringify(message(1).data).length;
if (size !== 390) throw new Error(`the event has ${size} bytes`);

const handle = DeciderCommandHandler({
  decide: (command) => message(command.data.number),
  evolve: (state) => ({ messages: state.messages + 1 }),
  initialState: () => ({ messages: 0 }),
});

const pool = new pg.Pool({ connectionString: url, max: CONNECTIONS });
const store = getPostgreSQLEventStore(url, { connectionOptions: { pool } });
await store.schema.migrate();

const ways = {
  append: (stream, number) => store.appendToStream(stream, [message(number)]),
  read_append: (stream, number) => handle(store, stream, { type: "Receive", data: { number } }),
};

/** Each of those in flight has streams of its own, so that none conflicts with another's. */
async function load(what, tasks) {
  const begin = performance.now();
  const end = begin + Number(seconds) * 1000;
  let count = 0;
  const one = async (task) => {
    for (let number = 0; performance.now() < end; number += 1) {
      const conversation = Math.floor(number / MESSAGES_PER_CONVERSATION);
      await ways[what](`conversation-${what}-${tasks}-${task}-${conversation}`, number);
      count += 1;
    }
  };
  await Promise.all(Array.from({ length: tasks }, (_, task) => one(task)));
  return { what, tasks, count, per_second: count / ((performance.now() - begin) / 1000) };
}

/** The consumer over the log's first events, with a handler that does nothing but count. */
async function consume() {
  const wanted = Number(events);
  let count = 0;
  const consumer = store.consumer({ pulling: { batchSize: BATCH } });
  const bounded = AbortSignal.timeout(REPLAY_MS_MAX);
  let done;
  const counted = new Promise((resolve, reject) => {
    done = resolve;
    bounded.onabort = () => reject(new EmmettError(`the consumer had ${count} of ${wanted} messages in time`));
  });
  consumer.reactor({
    processorId: "counts",
    startFrom: "BEGINNING",
    eachMessage: () => {
      count += 1;
      if (count >= wanted) done();
    },
  });
  const begin = performance.now();
  const running = consumer.start();
  running.catch(() => {});
  await counted;
  const elapsed = performance.now() - begin;
  await consumer.close();
  return { what: "consume", tasks: 1, count, per_second: count / (elapsed / 1000) };
}

/** Its log in batches, nothing done with it. */
async function readLog() {
  const { execute } = dumbo({ connectionString: url, pool });
  const begin = performance.now();
  let count = 0;
  let after = 0n;
  for (;;) {
    const { messages, currentGlobalPosition } = await readMessagesBatch(execute, { after, batchSize: BATCH });
    if (messages.length === 0) break;
    count += messages.length;
    after = currentGlobalPosition;
  }
  return { what: "read_log", tasks: 1, count, per_second: count / ((performance.now() - begin) / 1000) };
}

const rates = [];
for (const what of Object.keys(ways)) {
  for (const tasks of IN_FLIGHT) rates.push(await load(what, tasks));
}
rates.push(await readLog());
rates.push(await consume());
await store.close();
await pool.end();

const { version } = JSON.parse(
  readFileSync(new URL("node_modules/@event-driven-io/emmett-postgresql/package.json", import.meta.url)),
);
const cannot = [];
process.stdout.write(`${JSON.stringify({ peer: `emmett-postgresql ${version}`, rates, cannot })}\n`);
process.exit(0);
