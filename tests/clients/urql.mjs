// urql against a running server, driven by Parlance's tests: `node urql.mjs URL TOKEN ASSIGNEE`. Ends with 0 if
// everything is as a front end expects it; every check that passed is a line.

import assert from 'node:assert/strict';

import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from '@urql/core';
import { createClient } from 'graphql-ws';
import WebSocket from 'ws';

const [, , url, token, assignee] = process.argv;
const passed = (what) => console.log(what);

const sockets = createClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
});
const client = new Client({
  url,
  preferGetMethod: 'within-url-limit',
  fetchOptions: { headers: { authorization: `Bearer ${token}` } },
  exchanges: [
    cacheExchange,
    subscriptionExchange({
      forwardSubscription: ({ query, variables }) => ({
        subscribe: (sink) => ({ unsubscribe: sockets.subscribe({ query, variables }, sink) }),
      }),
    }),
    fetchExchange,
  ],
});

const INBOX = gql`
  query Inbox($after: String) {
    conversations(section: UNASSIGNED, first: 2, after: $after) {
      edges { cursor node { id unread assignee { id name } lastMessage { text } } }
      pageInfo { hasNextPage endCursor }
    }
  }
`;
const ASSIGN = gql`
  mutation Assign($input: AssignConversationInput!) {
    assignConversation(input: $input) {
      conversation { id assignee { id name } }
      position
      errors { code message path }
    }
  }
`;

const first = await client.query(INBOX, {}).toPromise();
assert.equal(first.error, undefined);
assert.equal(first.data.conversations.edges.length, 2);
passed('a page by GET');

const { endCursor } = first.data.conversations.pageInfo;
const second = await client.query(INBOX, { after: endCursor }).toPromise();
assert.equal(second.error, undefined);
assert.notEqual(second.data.conversations.edges[0].node.id, first.data.conversations.edges[0].node.id);
passed('the next page by its cursor');

const again = await client.query(INBOX, {}).toPromise();
assert.deepEqual(again.data, first.data);
passed('the first page from the cache');

const told = new Promise((resolve, reject) => {
  const CHANGED = gql`subscription { inboxChanged { position conversations { id assignee { id } } } }`;
  let changes = 0;
  const { unsubscribe } = client.subscription(CHANGED, {}).subscribe(({ data, error }) => {
    if (error) return reject(error);
    changes += 1;
    if (changes === 1) assign();
    if (data.inboxChanged.conversations.length > 0) {
      unsubscribe();
      resolve(data.inboxChanged.conversations);
    }
  });
});
const { id } = first.data.conversations.edges[0].node;
let assigned;
const assign = () => {
  assigned = client.mutation(ASSIGN, { input: { conversation: id, assignee } }).toPromise();
};
const [changed] = await told;
const { data, error } = await assigned;
assert.equal(error, undefined);
assert.deepEqual(data.assignConversation.errors, []);
assert.equal(data.assignConversation.conversation.assignee.id, assignee);
passed('a mutation');
assert.deepEqual({ ...changed, __typename: undefined, assignee: changed.assignee.id }, { __typename: undefined, id, assignee });
passed('its change by subscription');

const afterwards = await client.query(INBOX, {}).toPromise();
assert.notEqual(afterwards.data.conversations.edges[0].node.id, id);
passed('the page anew, because the mutation told of its type');

const refused = await client.mutation(ASSIGN, { input: { conversation: 'conv_' + '7'.repeat(32), assignee } }).toPromise();
assert.equal(refused.error, undefined);
assert.deepEqual(refused.data.assignConversation.errors.map(({ code, path }) => ({ code, path })), [
  { code: 'NOT_FOUND', path: ['input', 'conversation'] },
]);
passed('a refusal as data');

const wrong = await client.query(gql`query Wrong { nothing }`, {}).toPromise();
assert.equal(wrong.error.graphQLErrors[0].extensions.code, 'BAD_REQUEST');
passed('a mistake as an error with its code');

await sockets.dispose();
