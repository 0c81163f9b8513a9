// Apollo Client against a running server, driven by Parlance's tests: `node apollo.mjs URL TOKEN ASSIGNEE`. Ends with 0
// if everything is as a front end expects it; every check that passed is a line.

import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { CombinedGraphQLErrors } from '@apollo/client/errors';
import { PersistedQueryLink } from '@apollo/client/link/persisted-queries';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { createClient } from 'graphql-ws';
import { OperationTypeNode } from 'graphql';
import WebSocket from 'ws';

const [, , url, token, assignee] = process.argv;
const passed = (what) => console.log(what);
// The cache tells its watchers a moment later; a few hundred turns are a second at most.
const until = async (holds) => {
  for (let turn = 0; turn < 500 && !holds(); turn += 1) await new Promise((resolve) => setTimeout(resolve, 2));
  assert.ok(holds(), holds.toString());
};

const sockets = createClient({
  url: url.replace('http', 'ws'),
  webSocketImpl: WebSocket,
  connectionParams: { authorization: `Bearer ${token}` },
});
const asked = [];
const http = new HttpLink({
  uri: url,
  headers: { authorization: `Bearer ${token}` },
  fetch: async (uri, options) => {
    const answer = await fetch(uri, options);
    asked.push({ method: options.method, uri: String(uri), body: options.body, status: answer.status });
    return answer;
  },
});
const persisted = new PersistedQueryLink({
  sha256: (text) => createHash('sha256').update(text).digest('hex'),
  useGETForHashedQueries: true,
});
const client = new ApolloClient({
  cache: new InMemoryCache({
    typePolicies: { Query: { fields: { conversations: relayStylePagination(['section', 'channel']) } } },
  }),
  link: ApolloLink.split(
    ({ operationType }) => operationType === OperationTypeNode.SUBSCRIPTION,
    new GraphQLWsLink(sockets),
    persisted.concat(http),
  ),
});

const ROW = gql`
  fragment Row on Conversation { id unread assignee { id name } lastMessage { id text } }
`;
const INBOX = gql`
  ${ROW}
  query Inbox($after: String) {
    conversations(section: UNASSIGNED, first: 2, after: $after) {
      edges { cursor node { ...Row } }
      pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
    }
  }
`;

const inbox = client.watchQuery({ query: INBOX });
const first = await new Promise((resolve, reject) => {
  inbox.subscribe(({ data, error, dataState }) => {
    if (error) reject(error);
    else if (dataState === 'complete') resolve({ data });
  });
});
assert.equal(first.data.conversations.edges.length, 2);
passed('a page');
assert.deepEqual(asked.map(({ method }) => method), ['GET', 'POST']);
passed('a query that the server did not know by its hash, and knows from now on');
asked.length = 0;
// Once the first asking is quite over: the same again beside it would be joined with it.
await new Promise(setImmediate);
await client.query({ query: INBOX, fetchPolicy: 'network-only' });
assert.deepEqual(asked.map(({ method, status }) => ({ method, status })), [{ method: 'GET', status: 200 }]);
assert.ok(!asked[0].uri.includes('query='));
passed('the same by its hash alone');

await inbox.fetchMore({ variables: { after: first.data.conversations.pageInfo.endCursor } });
await until(() => inbox.getCurrentResult().data.conversations.edges.length === 3);
const { edges } = inbox.getCurrentResult().data.conversations;
assert.equal(edges.length, 3);
assert.equal(new Set(edges.map(({ node }) => node.id)).size, 3);
passed('more of the page, joined by its cursors');

const { id } = edges[0].node;
const told = new Promise((resolve, reject) => {
  const CHANGED = gql`
    ${ROW}
    subscription Changed { inboxChanged { position conversations { ...Row } } }
  `;
  let changes = 0;
  const following = client.subscribe({ query: CHANGED }).subscribe({
    next: ({ data, error }) => {
      if (error) return reject(error);
      changes += 1;
      if (changes === 1) assign();
      if (data.inboxChanged.conversations.length > 0) {
        following.unsubscribe();
        resolve(data.inboxChanged.conversations[0]);
      }
    },
    error: reject,
  });
});
let assigned;
const assign = () => {
  // As another client would: past this one's cache.
  const mutation = gql`
    mutation Assign($input: AssignConversationInput!) {
      assignConversation(input: $input) { position errors { code } }
    }
  `;
  assigned = client.mutate({ mutation, variables: { input: { conversation: id, assignee } } });
};
assert.equal((await told).assignee.id, assignee);
assert.deepEqual((await assigned).data.assignConversation.errors, []);
const row = () => inbox.getCurrentResult().data.conversations.edges.find(({ node }) => node.id === id);
await until(() => row().node.assignee?.id === assignee);
passed('a row that changed by subscription, in the cache by its id');

const wrong = await client.query({ query: gql`query Wrong { nothing }`, errorPolicy: 'all' });
assert.ok(CombinedGraphQLErrors.is(wrong.error));
assert.equal(wrong.error.errors[0].extensions.code, 'BAD_REQUEST');
passed('a mistake as an error with its code');

const partly = await client.query({
  query: gql`query Partly { account { id } conversation(id: "nonsense") { id } }`,
  errorPolicy: 'all',
  fetchPolicy: 'no-cache',
});
assert.ok(partly.data.account.id);
assert.equal(partly.data.conversation, null);
assert.equal(partly.error.errors[0].extensions.code, 'INVALID_ID');
passed('what could be answered, beside what could not');

client.stop();
await sockets.dispose();
