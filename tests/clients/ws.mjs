// GraphQL over WebSocket, driven by Parlance's tests: `node ws.mjs codes|follow URL TOKEN`. Everything that happens
// is a line of JSON.

import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

import { Inbox, FOLLOW } from './inbox.mjs';

const [, , mode, url, token] = process.argv;
const say = (line) => console.log(JSON.stringify(line));

// How the server closes a socket to which `messages` are sent: one after the other, the next when `after` was heard.
const closed = (name, messages, { protocols = ['graphql-transport-ws'], raw = [] } = {}) =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url, protocols);
    socket.on('error', reject);
    socket.on('open', () => {
      for (const message of [...messages.map((message) => JSON.stringify(message)), ...raw]) socket.send(message);
    });
    socket.on('message', (text) => {
      // What may only be sent once the connection is acknowledged.
      if (JSON.parse(text).type === 'connection_ack') {
        for (const message of after[name] ?? []) socket.send(typeof message === 'string' || Buffer.isBuffer(message) ? message : JSON.stringify(message));
      }
    });
    socket.on('close', (code, reason) => {
      say({ name, code, reason: reason.toString() });
      resolve();
    });
  });

const init = { type: 'connection_init', payload: { authorization: `Bearer ${token}` } };
const subscribe = { type: 'subscribe', id: 'a', payload: { query: 'subscription { inboxChanged { position } }' } };
const after = {
  'a message of no type': [{ hello: 'you' }],
  'no JSON': ['{'],
  'a binary message': [Buffer.from(JSON.stringify({ type: 'ping' }))],
  'a message that is too large': [JSON.stringify({ type: 'ping', payload: { x: 'x'.repeat(4 << 20) } })],
  'an id that is under way': [subscribe, subscribe],
  'a second init': [init],
};

const codes = async () => {
  for (const name of Object.keys(after)) await closed(name, [init]);
  await closed('an operation before the init', [subscribe]);
  await closed('an init without a token', [{ type: 'connection_init' }]);
  await closed('an init with a wrong token', [{ type: 'connection_init', payload: { token: 'prl_wrong' } }]);
  await closed('another subprotocol', [], { protocols: [] });
  await closed('no init', []);
};

const follow = () => {
  const inbox = new Inbox(say);
  let opened = 0;
  const client = createClient({
    url,
    webSocketImpl: WebSocket,
    lazy: false,
    connectionParams: { authorization: `Bearer ${token}` },
    retryAttempts: 1000,
    retryWait: () => new Promise((resolve) => setTimeout(resolve, 50)),
    shouldRetry: () => true,
    on: {
      connected: () => say({ connected: ++opened }),
      closed: (event) => {
        say({ closed: event.code ?? 1006, reason: event.reason ?? '' });
        // Whoever is not let in any more need not try.
        if (event.code === 4403) process.exit(0);
      },
    },
  });
  // Sent again as it is then, whenever the client comes back: `after` is where it was cut off.
  const request = { query: FOLLOW, variables: { after: null } };
  client.subscribe(request, {
    next: ({ data, errors }) => {
      if (errors) return say({ errors });
      request.variables.after = inbox.take(data.inboxChanged);
    },
    error: (error) => say({ error: String(error.reason ?? error.message ?? JSON.stringify(error)) }),
    complete: () => say({ complete: true }),
  });
};

await { codes, follow }[mode]();
