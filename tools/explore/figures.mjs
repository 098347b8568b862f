/*
 * Figures for the documents, from a machine that is taken through a few moments:
 *
 *    node figures.mjs FOLDER explore --qemu KERNEL MEMORY QEMU...
 *
 * starts the explorer, is a page to it without a browser, types to the machine what
 * a person would, and lets the page's own views lay out what is there.
 */
import {spawn} from 'node:child_process';
import crypto from 'node:crypto';
import fs from 'node:fs';
import http from 'node:http';
import path from 'node:path';
import * as frames from './page/frames.js';
import * as model from './page/model.js';
import * as share from './page/share.js';
import * as spaces from './page/spaces.js';
import * as table from './page/table.js';
import * as walk from './page/walk.js';
import {moved, rect, svgText, text, withLegend, wrapped} from './page/shapes.js';

const [, , folder, ...command] = process.argv;
const WAIT = 60000; /* ms for a moment to come */

/* --- a websocket, as far as this server needs one (RFC 6455) --- */

class Socket {
  constructor(address, take) {
    this.take = take;
    this.bytes = Buffer.alloc(0);
    this.whole = [];
    this.opened = new Promise((resolve, reject) => {
      const request = http.get(address, {headers: {Connection: 'Upgrade',
        Upgrade: 'websocket', 'Sec-WebSocket-Version': 13,
        'Sec-WebSocket-Key': crypto.randomBytes(16).toString('base64')}});
      request.on('error', reject);
      request.on('upgrade', (_, socket, head) => {
        this.socket = socket;
        socket.on('data', data => this.receive(data));
        this.receive(head);
        resolve();
      });
    });
  }

  receive(data) {
    this.bytes = Buffer.concat([this.bytes, data]);
    for (;;) {
      const b = this.bytes;
      if (b.length < 2)
        return;
      const short = b[1] & 127, start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (b.length < start)
        return;
      const n = short < 126 ? short : short === 126 ? b.readUInt16BE(2)
        : Number(b.readBigUInt64BE(2));
      if (b.length < start + n)
        return;
      this.bytes = b.subarray(start + n);
      const kind = b[0] & 15;
      if (kind > 2)
        continue; /* ping, pong, close */
      this.kind = kind || this.kind;
      this.whole.push(b.subarray(start, start + n));
      if (b[0] & 128) {
        const message = Buffer.concat(this.whole.splice(0));
        this.take(this.kind === 1 ? message.toString() : message);
      }
    }
  }

  send(content, binary) {
    const data = Buffer.from(content), mask = crypto.randomBytes(4);
    const head = data.length < 126 ? Buffer.from([128 | (binary ? 2 : 1),
      128 | data.length]) : Buffer.from([128 | (binary ? 2 : 1), 128 | 126,
      data.length >> 8, data.length & 255]);
    this.socket.write(Buffer.concat([head, mask, data.map((v, i) => v ^ mask[i & 3])]));
  }
}

/* --- the machine --- */

class Machine {
  async start() {
    this.child = spawn(command[0], command.slice(1), {stdio: ['ignore', 'pipe', 'inherit'],
      env: {...process.env, CI: 'true'}});
    const address = await new Promise((resolve, reject) => {
      this.child.stdout.once('data', d => resolve(String(d).trim()));
      this.child.once('exit', () => reject(new Error('the machine was not started')));
      this.child.once('error', reject);
    });
    this.said = '';
    this.answers = new Map();
    this.ids = 0;
    this.changed = () => {};
    this.pages = new Socket(address + 'state', m => this.take(m));
    this.console = new Socket(address + 'console', m => {
      this.said += String(m);
      this.changed();
    });
    await Promise.all([this.pages.opened, this.console.opened]);
  }

  take(message) {
    if (typeof message !== 'string') {
      this.frames = model.parseFrames(message.buffer.slice(
        message.byteOffset, message.byteOffset + message.length));
    } else {
      const m = JSON.parse(message);
      if (m.type === 'hello')
        this.hello = m;
      else if (m.type === 'state')
        this.state = model.parseState(m, this.state);
      else
        this.answers.get(m.id)(m);
    }
    this.changed();
  }

  async until(what, f) {
    const end = Date.now() + WAIT;
    while (!f()) {
      if (Date.now() > end)
        throw new Error(`there was never ${what}; the machine said:\n${this.said}`);
      await new Promise(resolve => {
        const timer = setTimeout(resolve, 1000);
        this.changed = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  ask(op, more) {
    const id = ++this.ids;
    const answer = new Promise(resolve => this.answers.set(id, resolve));
    this.pages.send(JSON.stringify({id, op, ...more}));
    return answer;
  }

  /* Type, wait until the machine has said something, and until a state is newer. */
  async type(words, says) {
    this.said = '';
    this.console.send(words, true);
    await this.until(says, () => this.said.includes(says));
    await this.ask('pause');
    await this.ask('continue');
  }

  walkTo(pid, page) {
    return this.ask('walk', {pid, va: model.toHex(page)});
  }

  space(name) {
    return this.state.spaces.filter(s => s.name === name);
  }

  end() {
    this.child.kill('SIGTERM');
  }
}

/* --- figures --- */

function save(m, name, laid, title) {
  fs.writeFileSync(path.join(folder, `${name}-${m.hello.arch}.svg`),
                   svgText(m.state, laid.shapes, laid.w, laid.h, title));
}

async function shared(m, pick) {
  const rows = share.related(m.state, pick), walks = new Map();
  for (const r of rows)
    walks.set(`${r.pid}:${r.page}`, await m.walkTo(r.pid, r.page));
  return share.layout(m.hello, m.state, rows, walks, {width: 440});
}

const MOMENTS = [
  ['tour_fork\n', '(Enter)', 'Before fork', 'One process, one frame. The entry of the ' +
    'page table that leads there has W: the program may write.'],
  ['\n', '(Enter)', 'After fork', 'fork copied the page table, not the memory: two ' +
    'entries lead to one frame. W is gone from both, so that a write is a page fault.'],
  ['\n', '(Enter)', 'After the child has written', 'The fault found two holders: the ' +
    'kernel copied the frame for the child, whose entry got W.'],
  ['\n', '(Enter)', 'After the parent has written', 'Nobody else had the frame any ' +
    'more: W came back, and nothing was copied.'],
];

/* Four moments, one below the other: what is said on the left, who has which frame
 * on the right. */
async function forkFigure(m) {
  const shapes = [], TEXT = 250, PAD = 14;
  let y = PAD, page = -1, pid = 0;

  for (const [typed, says, title, words] of MOMENTS) {
    await m.type(typed, says);
    if (page < 0) {
      const place = /\[(\d+)\] .* is at (0x[0-9a-f]+)/.exec(m.said);
      pid = Number(place[1]);
      page = model.toPage(place[2]);
    }
    if (title === 'After fork')
      await spacesFigure(m, 'fork-spaces', {pid, page});
    const laid = await shared(m, {pid, page}), lines = wrapped(words, 42);
    const h = Math.max(laid.h + 12, 34 + lines.length * 15);
    shapes.push(rect(PAD, y, TEXT + laid.w + 3 * PAD, h, 'panel', {r: 6}),
      text(2 * PAD, y + 26, title, 'title'),
      ...lines.map((l, i) => text(2 * PAD, y + 46 + i * 15, l)),
      ...moved(laid.shapes, TEXT + 3 * PAD, y + (h - laid.h) / 2));
    y += h + 10;
  }
  save(m, 'fork', {shapes, w: TEXT + 440 + 5 * PAD, h: y + PAD - 10},
       'Two processes share a frame after fork, until one writes');
  await m.type('\n', '$ ');
}

function spacesFigure(m, name, pick) {
  const options = {width: 900, height: 640, usersOnly: pick !== undefined};
  const laid = spaces.layout(m.state, options);
  const frame = pick ? model.frameAt(model.spaceOf(m.state, pick.pid), pick.page)
    : model.frameAt(m.space('init')[0], m.space('init')[0].regions.at(-1).start);
  const lit = model.holders(m.state, frame).length > 1
    ? spaces.marks(laid, m.state, frame) : [];
  save(m, name, withLegend({...laid, shapes: [...laid.shapes, ...lit]},
    spaces.legend(m.state, options)), 'Address spaces of the kernel and of processes');
}

async function tableFigure(m) {
  const space = m.space('sh')[0], tables = new Map(), open = new Set();
  let laid = table.layout(m.hello, space, tables, {open, changes: [], width: 860});

  while (laid.wanted.length) {
    for (const pa of laid.wanted) {
      const answer = await m.ask('table', {pid: space.pid, pa});
      tables.set(pa, answer);
      for (const [, , , kind, next] of answer.entries)
        if (kind === 'table')
          open.add(next);
    }
    laid = table.layout(m.hello, space, tables, {open, changes: [], width: 860});
  }
  save(m, 'table', laid, 'The page table of the shell');
}

async function walkFigure(m) {
  const space = m.space('sh')[0];
  const stack = space.regions.find(r => r.what === 'stack');
  const va = '0x' + (BigInt(stack.end) * 4096n - 16n).toString(16);
  const answer = await m.ask('walk', {pid: space.pid, va});
  save(m, 'walk', walk.layout(m.hello, answer,
    {title: model.title(space), step: Infinity}), `The walk to ${va}`);
}

function framesFigure(m) {
  const side = frames.sideLayout(m.state, m.frames, {width: 250});
  const laid = frames.layout(m.frames.n, 820, 660, {size: 4});
  save(m, 'frames', {w: 820 + 280, h: Math.max(laid.height, side.h) + 20,
    shapes: [...moved(frames.shapesOf(laid, m.frames, m.state.classes), 0, 10),
      ...moved(side.shapes, 844, 6)]}, 'Physical memory');
}

const m = new Machine();
try {
  await m.start();
  await m.until('a prompt', () => m.said.includes('$ '));
  await m.until('a shell', () => m.state && m.frames && m.space('sh').length);
  await m.ask('pause'); /* so that all figures are of one moment */
  spacesFigure(m, 'spaces');
  await tableFigure(m);
  await walkFigure(m);
  framesFigure(m);
  await m.ask('continue');
  await forkFigure(m);
} catch (error) {
  console.error('figures: ' + error.message);
  process.exitCode = 1;
} finally {
  m.end();
}
process.exit();
