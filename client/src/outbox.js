// What goes up and must arrive: numbered, kept until acknowledged, sent again after a break (protocol 3.1). Pure.

const MOST = 1000;
/** What still makes sense in another conversation: the rest belonged to the one that is gone. */
const OUTLIVES = new Set(["text"]);

export class Outbox {
  constructor() {
    this.last = 0;
    /** @type {Array<Record<string, any>>} */
    this.waiting = [];
  }

  /** Numbers a message and keeps it. Throws when 1,000 are waiting. */
  add(message) {
    if (this.waiting.length >= MOST) {
      throw new Error(`${MOST} messages wait for the server: wait for the connection to come back before you send more.`);
    }
    this.last += 1;
    const numbered = { ...message, n: this.last };
    this.waiting.push(numbered);
    return numbered;
  }

  /** The server has all up to `n`. */
  received(n) {
    this.waiting = this.waiting.filter((message) => message.n > n);
  }

  /** The server will not have message `n`: it is not sent again. Returns it, if it was waiting. */
  refused(n) {
    const found = this.waiting.find((message) => message.n === n);
    this.waiting = this.waiting.filter((message) => message !== found);
    return found;
  }

  /** The same conversation goes on and the server has all up to `n`: what is to be sent again, in order. */
  resume(n) {
    this.received(n);
    return [...this.waiting];
  }

  /** Nothing was sent yet, and the server has what an earlier page numbered up to `n`: what is to be sent, in order. */
  renumber(n) {
    const { waiting } = this;
    this.last = n;
    this.waiting = [];
    return waiting.map((message) => this.add(message));
  }

  /** Another conversation begins, of which the server has all up to `n`: what of the old one is to be said in it. */
  restart(n) {
    this.waiting = this.waiting.filter((message) => OUTLIVES.has(message.type));
    return this.renumber(n);
  }
}
