/**
 * @generated SignedSource<<560e87c2e9768854edae1d3558ffc8f1>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import { ConcreteRequest } from 'relay-runtime';
export type ErrorCode = "ACCESS_MISSING" | "ALREADY_ASSIGNED" | "ALREADY_MEMBER" | "ALREADY_PAST" | "ASSIGNEE_UNAVAILABLE" | "ASSIGNEE_WITHOUT_ACCESS" | "CHANNEL_DISCONNECTED" | "CHANNEL_UNREADABLE" | "CONNECTION_MISMATCH" | "CONTROL_CHARACTER" | "CREDENTIALS_REFUSED" | "CURRENT_PASSWORD_WRONG" | "CURSOR_INVALID" | "CURSOR_OF_ANOTHER_LIST" | "EMPTY" | "INVALID_ID" | "INVITATION_INVALID" | "KIND_CLOSED" | "LAST_WITH_SETTINGS_ACCESS" | "MEMBERS_ONLY" | "MEMBER_NOT_ACTIVE" | "NAME_UNREADABLE" | "NEW_INSTALLER_NOT_ACTIVE" | "NOT_AN_EMAIL" | "NOT_ASSIGNED" | "NOT_A_PROVIDER_ID" | "NOT_FOUND" | "NOT_PERMITTED" | "ONLY_INSTALLER" | "ONLY_ONESELF" | "OPERATORS_ONLY" | "PAGE_DIRECTION_MIXED" | "PAGE_SIZE_OUT_OF_RANGE" | "PASSWORD_TOO_EASY" | "PROVIDER_UNAVAILABLE" | "RELOAD" | "SCOPE_MISSING" | "SESSION_REQUIRED" | "SIGNING_SECRET_MISSING" | "SIGN_IN_REFUSED" | "STILL_INSTALLER" | "TOO_LONG" | "TOO_MANY_ATTEMPTS" | "TOO_MANY_TOKENS" | "TOO_SHORT" | "UNAUTHENTICATED" | "UNKNOWN_TIME_ZONE" | "%future added value";
export type DeleteConversationInput = {
  conversation: string;
};
export type InboxDeleteMutation$variables = {
  connections: ReadonlyArray<string>;
  input: DeleteConversationInput;
};
export type InboxDeleteMutation$data = {
  readonly deleteConversation: {
    readonly deletedId: string | null | undefined;
    readonly errors: ReadonlyArray<{
      readonly code: ErrorCode;
    }>;
  } | null | undefined;
};
export type InboxDeleteMutation = {
  response: InboxDeleteMutation$data;
  variables: InboxDeleteMutation$variables;
};

const node: ConcreteRequest = (function(){
var v0 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "connections"
},
v1 = {
  "defaultValue": null,
  "kind": "LocalArgument",
  "name": "input"
},
v2 = [
  {
    "kind": "Variable",
    "name": "input",
    "variableName": "input"
  }
],
v3 = {
  "alias": null,
  "args": null,
  "kind": "ScalarField",
  "name": "deletedId",
  "storageKey": null
},
v4 = {
  "alias": null,
  "args": null,
  "concreteType": "UserError",
  "kind": "LinkedField",
  "name": "errors",
  "plural": true,
  "selections": [
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "code",
      "storageKey": null
    }
  ],
  "storageKey": null
};
return {
  "fragment": {
    "argumentDefinitions": [
      (v0/*:: as any*/),
      (v1/*:: as any*/)
    ],
    "kind": "Fragment",
    "metadata": null,
    "name": "InboxDeleteMutation",
    "selections": [
      {
        "alias": null,
        "args": (v2/*:: as any*/),
        "concreteType": "DeleteConversationPayload",
        "kind": "LinkedField",
        "name": "deleteConversation",
        "plural": false,
        "selections": [
          (v3/*:: as any*/),
          (v4/*:: as any*/)
        ],
        "storageKey": null
      }
    ],
    "type": "Mutation",
    "abstractKey": null
  },
  "kind": "Request",
  "operation": {
    "argumentDefinitions": [
      (v1/*:: as any*/),
      (v0/*:: as any*/)
    ],
    "kind": "Operation",
    "name": "InboxDeleteMutation",
    "selections": [
      {
        "alias": null,
        "args": (v2/*:: as any*/),
        "concreteType": "DeleteConversationPayload",
        "kind": "LinkedField",
        "name": "deleteConversation",
        "plural": false,
        "selections": [
          (v3/*:: as any*/),
          {
            "alias": null,
            "args": null,
            "filters": null,
            "handle": "deleteEdge",
            "key": "",
            "kind": "ScalarHandle",
            "name": "deletedId",
            "handleArgs": [
              {
                "kind": "Variable",
                "name": "connections",
                "variableName": "connections"
              }
            ]
          },
          (v4/*:: as any*/)
        ],
        "storageKey": null
      }
    ]
  },
  "params": {
    "cacheID": "4e4c953db814fc6643f41034367c8a84",
    "id": null,
    "metadata": {},
    "name": "InboxDeleteMutation",
    "operationKind": "mutation",
    "text": "mutation InboxDeleteMutation(\n  $input: DeleteConversationInput!\n) {\n  deleteConversation(input: $input) {\n    deletedId\n    errors {\n      code\n    }\n  }\n}\n"
  }
};
})();

(node as any).hash = "79844d55e64bc4d73537595d205823e3";

export default node;
