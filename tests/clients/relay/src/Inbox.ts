// An inbox as a Relay application writes it: pages that are fetched again by `node`, lists under a connection's key,
// mutations whose rows go into the store, and the subscriptions.
import { graphql } from "relay-runtime";

export const inbox = graphql`
  query InboxQuery($section: Section!, $channel: ID, $at: Position) {
    viewer {
      member {
        ...Inbox_member
      }
      permissions
    }
    sections(channel: $channel, atLeast: $at) {
      section
      conversations
      unread
    }
    conversations(section: $section, channel: $channel, first: 25, atLeast: $at)
      @connection(key: "Inbox_conversations") {
      edges {
        node {
          ...Inbox_row
        }
      }
    }
  }
`;

export const member = graphql`
  fragment Inbox_member on Member {
    id
    name
    available
  }
`;

export const row = graphql`
  fragment Inbox_row on Conversation @refetchable(queryName: "InboxRowRefetchQuery") {
    id
    unread
    changedAt
    contact {
      name
    }
    assignee {
      ...Inbox_member
    }
    lastMessage {
      text
      at
    }
  }
`;

export const thread = graphql`
  fragment Inbox_thread on Conversation
  @refetchable(queryName: "InboxThreadPaginationQuery")
  @argumentDefinitions(last: { type: "Int", defaultValue: 25 }, before: { type: "String" }) {
    messages(last: $last, before: $before) @connection(key: "Inbox_messages") {
      edges {
        node {
          id
          text
          direction
          at
        }
      }
    }
  }
`;

export const conversation = graphql`
  query InboxConversationQuery($id: ID!) {
    node(id: $id) {
      ...Inbox_row @alias(as: "row")
      ...Inbox_thread @alias(as: "thread")
    }
  }
`;

export const assign = graphql`
  mutation InboxAssignMutation($input: AssignConversationInput!) {
    assignConversation(input: $input) {
      conversation {
        ...Inbox_row
      }
      position
      errors {
        code
        message
        path
        alreadyAssigned {
          at
          assignee {
            name
          }
        }
      }
    }
  }
`;

export const remove = graphql`
  mutation InboxDeleteMutation($input: DeleteConversationInput!, $connections: [ID!]!) {
    deleteConversation(input: $input) {
      deletedId @deleteEdge(connections: $connections) @deleteRecord
      errors {
        code
      }
    }
  }
`;

export const inboxChanged = graphql`
  subscription InboxChangedSubscription($after: Position) {
    inboxChanged(after: $after) {
      position
      conversations {
        ...Inbox_row
      }
      gone @deleteRecord
      channelsGone
      channelsToLoad
      members {
        ...Inbox_member
      }
    }
  }
`;

export const conversationChanged = graphql`
  subscription InboxConversationChangedSubscription($id: ID!, $after: Position) {
    conversationChanged(id: $id, after: $after) {
      position
      conversation {
        ...Inbox_row
      }
      messages {
        id
        text
      }
      reloadMessages
    }
  }
`;
