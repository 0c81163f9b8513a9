// GraphQL over server-sent events, driven by Parlance's tests: `node sse.mjs follow URL TOKEN`. Everything that
// happens is a line of JSON.

import { createClient } from 'graphql-sse';

import { Inbox, FOLLOW } from './inbox.mjs';

const [, , mode, url, token] = process.argv;
const say = (line) => console.log(JSON.stringify(line));

const follow = () => {
  const inbox = new Inbox(say);
  let opened = 0;
  const client = createClient({
    url,
    headers: { authorization: `Bearer ${token}` },
    retryAttempts: 1000,
    retry: () => new Promise((resolve) => setTimeout(resolve, 50)),
    on: { connected: () => say({ connected: ++opened }) },
  });
  // Sent again as it is then, whenever the client comes back: `after` is where it was cut off.
  const request = { query: FOLLOW, variables: { after: null } };
  client.subscribe(request, {
    next: ({ data, errors }) => {
      if (errors) return say({ errors });
      request.variables.after = inbox.take(data.inboxChanged);
    },
    error: (error) => say({ error: String(error.message ?? error) }),
    complete: () => say({ complete: true }),
  });
};

await { follow }[mode]();
