/**
 * @generated SignedSource<<2c1b5e4fb2b06fc9f97e09ba24c551d3>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import { ConcreteRequest } from 'relay-runtime';
import { FragmentRefs } from "relay-runtime";
export type ErrorCode = "ACCESS_MISSING" | "ALREADY_ASSIGNED" | "ALREADY_MEMBER" | "ALREADY_PAST" | "ASSIGNEE_UNAVAILABLE" | "ASSIGNEE_WITHOUT_ACCESS" | "CHANNEL_DISCONNECTED" | "CHANNEL_UNREADABLE" | "CONNECTION_MISMATCH" | "CONTROL_CHARACTER" | "CREDENTIALS_REFUSED" | "CURRENT_PASSWORD_WRONG" | "CURSOR_INVALID" | "CURSOR_OF_ANOTHER_LIST" | "EMPTY" | "INVALID_ID" | "INVITATION_INVALID" | "KIND_CLOSED" | "LAST_WITH_SETTINGS_ACCESS" | "MEMBERS_ONLY" | "MEMBER_NOT_ACTIVE" | "NAME_UNREADABLE" | "NEW_INSTALLER_NOT_ACTIVE" | "NOT_AN_EMAIL" | "NOT_ASSIGNED" | "NOT_A_PROVIDER_ID" | "NOT_FOUND" | "NOT_PERMITTED" | "ONLY_INSTALLER" | "ONLY_ONESELF" | "OPERATORS_ONLY" | "PAGE_DIRECTION_MIXED" | "PAGE_SIZE_OUT_OF_RANGE" | "PASSWORD_TOO_EASY" | "PROVIDER_UNAVAILABLE" | "RELOAD" | "SCOPE_MISSING" | "SESSION_REQUIRED" | "SIGNING_SECRET_MISSING" | "SIGN_IN_REFUSED" | "STILL_INSTALLER" | "TOO_LONG" | "TOO_MANY_ATTEMPTS" | "TOO_MANY_TOKENS" | "TOO_SHORT" | "UNAUTHENTICATED" | "UNKNOWN_TIME_ZONE" | "%future added value";
export type AssignConversationInput = {
  assignee: string;
  conversation: string;
  expect?: string | null | undefined;
};
export type InboxAssignMutation$variables = {
  input: AssignConversationInput;
};
export type InboxAssignMutation$data = {
  readonly assignConversation: {
    readonly conversation: {
      readonly " $fragmentSpreads": FragmentRefs<"Inbox_row">;
    } | null | undefined;
    readonly errors: ReadonlyArray<{
      readonly alreadyAssigned: {
        readonly assignee: {
          readonly name: string | null | undefined;
        } | null | undefined;
        readonly at: string;
      } | null | undefined;
      readonly code: ErrorCode;
      readonly message: string;
      readonly path: ReadonlyArray<string>;
    }>;
    readonly position: string | null | undefined;
  } | null | undefined;
};
export type InboxAssignMutation = {
  response: InboxAssignMutation$data;
  variables: InboxAssignMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = [
  {
    "defaultValue": null,
    "kind": "LocalArgument",
    "name": "input"
  }
],
v1 = [
  {
    "kind": "Variable",
    "name": "input",
    "variableName": "input"
  }
],
v2 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "position",
  "storageKey": null
},
v3 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "code",
  "storageKey": null
},
v4 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "message",
  "storageKey": null
},
v5 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "path",
  "storageKey": null
},
v6 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "at",
  "storageKey": null
},
v7 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "name",
  "storageKey": null
},
v8 = [
  (v7/*:: as any*/)
],
v9 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "id",
  "storageKey": null
};
return {
  "fragment": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Fragment",
    "metadata": null,
    "name": "InboxAssignMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": "AssignConversationPayload",
        "kind": "LinkedField",
        "name": "assignConversation",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "Conversation",
            "kind": "LinkedField",
            "name": "conversation",
            "plural": false,
            "selections": [
              {
                "args": null,
                "kind": "FragmentSpread",
                "name": "Inbox_row"
              }
            ],
            "storageKey": null
          },
          (v2/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "concreteType": "UserError",
            "kind": "LinkedField",
            "name": "errors",
            "plural": true,
            "selections": [
              (v3/*:: as any*/),
              (v4/*:: as any*/),
              (v5/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "concreteType": "AlreadyAssigned",
                "kind": "LinkedField",
                "name": "alreadyAssigned",
                "plural": false,
                "selections": [
                  (v6/*:: as any*/),
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "Member",
                    "kind": "LinkedField",
                    "name": "assignee",
                    "plural": false,
                    "selections": (v8/*:: as any*/),
                    "storageKey": null
                  }
                ],
                "storageKey": null
              }
            ],
            "storageKey": null
          }
        ],
        "storageKey": null
      }
    ],
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": (v0/*:: as any*/),
    "kind": "Operation",
    "name": "InboxAssignMutation",
    "selections": [
      {
        "alias": null,
        "args": (v1/*:: as any*/),
        "concreteType": "AssignConversationPayload",
        "kind": "LinkedField",
        "name": "assignConversation",
        "plural": false,
        "selections": [
          {
            "alias": null,
            "args": null,
            "concreteType": "Conversation",
            "kind": "LinkedField",
            "name": "conversation",
            "plural": false,
            "selections": [
              (v9/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "unread",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "kind": "ScalarField",
                "name": "changedAt",
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "concreteType": "Contact",
                "kind": "LinkedField",
                "name": "contact",
                "plural": false,
                "selections": (v8/*:: as any*/),
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "concreteType": "Member",
                "kind": "LinkedField",
                "name": "assignee",
                "plural": false,
                "selections": [
                  (v9/*:: as any*/),
                  (v7/*:: as any*/),
                  {
                    "alias": null,
                    "args": null,
                    "kind": "ScalarField",
                    "name": "available",
                    "storageKey": null
                  }
                ],
                "storageKey": null
              },
              {
                "alias": null,
                "args": null,
                "concreteType": "Message",
                "kind": "LinkedField",
                "name": "lastMessage",
                "plural": false,
                "selections": [
                  {
                    "alias": null,
                    "args": null,
                    "kind": "ScalarField",
                    "name": "text",
                    "storageKey": null
                  },
                  (v6/*:: as any*/),
                  (v9/*:: as any*/)
                ],
                "storageKey": null
              }
            ],
            "storageKey": null
          },
          (v2/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "concreteType": "UserError",
            "kind": "LinkedField",
            "name": "errors",
            "plural": true,
            "selections": [
              (v3/*:: as any*/),
              (v4/*:: as any*/),
              (v5/*:: as any*/),
              {
                "alias": null,
                "args": null,
                "concreteType": "AlreadyAssigned",
                "kind": "LinkedField",
                "name": "alreadyAssigned",
                "plural": false,
                "selections": [
                  (v6/*:: as any*/),
                  {
                    "alias": null,
                    "args": null,
                    "concreteType": "Member",
                    "kind": "LinkedField",
                    "name": "assignee",
                    "plural": false,
                    "selections": [
                      (v7/*:: as any*/),
                      (v9/*:: as any*/)
                    ],
                    "storageKey": null
                  }
                ],
                "storageKey": null
              }
            ],
            "storageKey": null
          }
        ],
        "storageKey": null
      }
    ]
  },
  "params": {
    "cacheID": "2087700b984d256de7c3bb02007d8c32",
    "id": null,
    "metadata": {},
    "name": "InboxAssignMutation",
    "operationKind": "mutation",
    "text": "mutation InboxAssignMutation(\n  $input: AssignConversationInput!\n) {\n  assignConversation(input: $input) {\n    conversation {\n      ...Inbox_row\n      id\n    }\n    position\n    errors {\n      code\n      message\n      path\n      alreadyAssigned {\n        at\n        assignee {\n          name\n          id\n        }\n      }\n    }\n  }\n}\n\nfragment Inbox_member on Member {\n  id\n  name\n  available\n}\n\nfragment Inbox_row on Conversation {\n  id\n  unread\n  changedAt\n  contact {\n    name\n  }\n  assignee {\n    ...Inbox_member\n    id\n  }\n  lastMessage {\n    text\n    at\n    id\n  }\n}\n"
  }
};
})();

(node as any).hash = "745cba29f98343ba0552895b9d0ca1c9";

export default node;
