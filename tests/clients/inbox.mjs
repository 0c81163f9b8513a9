// An inbox as a client holds it: rows put in the place of rows, as `inboxChanged` tells them.

export const FOLLOW = `subscription Follow($after: Position) {
  inboxChanged(after: $after) {
    position gone channelsGone channelsToLoad
    conversations { id section unread messageCount lastMessage { text } }
  }
}`;

export class Inbox {
  #rows = new Map();
  #say;

  constructor(say) {
    this.#say = say;
  }

  // Takes a change, tells what there is now, and gives the position to go on from.
  take({ position, gone, conversations }) {
    for (const id of gone) this.#rows.delete(id);
    for (const row of conversations) this.#rows.set(row.id, row);
    this.#say({ position, rows: [...this.#rows.values()] });
    return position;
  }
}
