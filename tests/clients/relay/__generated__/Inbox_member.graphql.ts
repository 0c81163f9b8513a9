/**
 * @generated SignedSource<<febb076a38d6f6e5962ebe9b15586155>>
 * @lightSyntaxTransform
 */

/* tslint:disable */
/* eslint-disable */
// @ts-nocheck

import { ReaderFragment } from 'relay-runtime';
import { FragmentRefs } from "relay-runtime";
export type Inbox_member$data = {
  readonly available: boolean;
  readonly id: string;
  readonly name: string | null | undefined;
  readonly " $fragmentType": "Inbox_member";
};
export type Inbox_member$key = {
  readonly " $data"?: Inbox_member$data;
  readonly " $fragmentSpreads": FragmentRefs<"Inbox_member">;
};

const node: ReaderFragment = {
  "argumentDefinitions": [],
  "kind": "Fragment",
  "metadata": null,
  "name": "Inbox_member",
  "selections": [
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "id",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "name",
      "storageKey": null
    },
    {
      "alias": null,
      "args": null,
      "kind": "ScalarField",
      "name": "available",
      "storageKey": null
    }
  ],
  "type": "Member",
  "abstractKey": null
};

(node as any).hash = "4ca9cff3d4c810fdd00de75b18af149d";

export default node;
