/*
 * The socket to the server: states and frames come by themselves; requests get an
 * answer each. When the server goes away, what was shown last stays, and the page
 * tries to come back.
 */
import {parseFrames} from './model.js';

const RETRY = 1500; /* ms */

/* The address of a socket of this page's server. */
export function socketAddress(name) {
  const url = new URL(name, location.href);
  url.protocol = url.protocol === 'https:' ? 'wss:' : 'ws:';
  url.hash = '';
  return url.href;
}

export class Wire {
  /* on: {message(object), frames(object), snapshot(bytes), connected(bool)}; name: of
   * the socket */
  constructor(on, name = 'state') {
    this.on = on;
    this.name = name;
    this.waiting = new Map();
    this.next = 1;
    this.open();
  }

  open() {
    this.socket = new WebSocket(socketAddress(this.name));
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => this.on.connected(true);
    this.socket.onmessage = event => this.receive(event.data);
    this.socket.onclose = () => {
      for (const {reject} of this.waiting.values())
        reject(new Error('the explorer has gone'));
      this.waiting.clear();
      if (this.closed)
        return;
      this.on.connected(false);
      setTimeout(() => this.closed || this.open(), RETRY);
    };
  }

  /* Does the server answer? */
  get connected() {
    return this.socket.readyState === WebSocket.OPEN;
  }

  /* For good. */
  close() {
    this.closed = true;
    this.socket.close();
  }

  receive(data) {
    if (typeof data !== 'string') {
      const kind = String.fromCharCode(...new Uint8Array(data, 0, 4));
      if (kind === 'FRAM')
        this.on.frames(parseFrames(data));
      else if (kind === 'SNAP')
        this.on.snapshot(data.slice(4));
      return;
    }
    const message = JSON.parse(data), wait = this.waiting.get(message.id);
    if (!wait) {
      this.on.message(message);
      return;
    }
    this.waiting.delete(message.id);
    if (message.error)
      wait.reject(new Error(message.error));
    else
      wait.resolve(message);
  }

  /* Ask; the promise is kept by the answer, or broken by an error's text. */
  ask(op, more = {}) {
    if (!this.connected)
      return Promise.reject(new Error('not connected'));
    const id = this.next++;
    return new Promise((resolve, reject) => {
      this.waiting.set(id, {resolve, reject});
      this.socket.send(JSON.stringify({id, op, ...more}));
    });
  }
}
