/*
 * The guest's console: a terminal on the server's second socket. Programs of the
 * tour say where to look ("[3] a page of data is at 0x5000"); such lines are noted.
 */
import {Terminal} from './xterm.mjs';
import {FitAddon} from './addon-fit.mjs';
import {socketAddress} from './wire.js';
import {toPage} from './model.js';

const RETRY = 1500;
const COLUMNS = 80;                     /* of a line */
const SIZES = [12, 11.5, 11, 10.5, 10]; /* of letters, in pixels */
const LINE_HEIGHT = 1.1; /* at 1 the smallest letters lose the underscore */
const INTERRUPT = '\x03';               /* Ctrl-C */
const PROMPT = '$ ';                    /* of the shell */
const SEQUENCES = /\r|\x1b\[[0-9;]*[A-Za-z]/g;
const PLACE = /\[(\d+)\] (.*?) is at (0x[0-9a-f]+)/;
const THEMES = {
  light: {background: '#f6f8fa', foreground: '#1b2430', cursor: '#0b5cad',
    selectionBackground: '#b6d4f0'},
  dark: {background: '#0d1117', foreground: '#e4e9f0', cursor: '#6cb6ff',
    selectionBackground: '#2d4a6b'},
};

export class Console {
  /* on: {place({pid, page, what}), line(text), leave(back)}: a program said where to
   * look; a line has come; F6, with Shift. name: of the socket */
  constructor(parent, on, name = 'console') {
    this.on = on;
    this.name = name;
    this.line = ''; /* the last, which has no end yet */
    this.next = ''; /* what to type at the next prompt */
    this.decoder = new TextDecoder();
    this.terminal = new Terminal({fontSize: SIZES[0], lineHeight: LINE_HEIGHT,
      scrollback: 5000,
      fontFamily: 'ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, monospace',
      screenReaderMode: true});
    this.fitter = new FitAddon();
    this.terminal.loadAddon(this.fitter);
    this.terminal.open(parent);
    /* A PC's firmware turns wrapping off, and long lines would be cut. */
    this.terminal.parser.registerCsiHandler({prefix: '?', final: 'l'},
      parameters => parameters.length === 1 && parameters[0] === 7);
    this.terminal.onData(data => this.type(data));
    this.terminal.attachCustomKeyEventHandler(event => {
      if (event.key !== 'F6')
        return true;
      if (event.type === 'keydown') {
        event.preventDefault(); /* else the browser's own F6 follows */
        on.leave(event.shiftKey);
      }
      return false;
    });
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(parent);
  }

  /* The largest letters with which a line of the machine's programs fits. */
  fit() {
    for (const size of SIZES) {
      this.terminal.options.fontSize = size;
      const fits = this.fitter.proposeDimensions();
      if (!fits || fits.cols >= COLUMNS)
        break;
    }
    this.fitter.fit();
  }

  /* Connect, unless that is done: a snapshot has no console. */
  start() {
    if (!this.socket)
      this.open();
  }

  open() {
    this.socket = new WebSocket(socketAddress(this.name));
    this.socket.binaryType = 'arraybuffer';
    this.socket.onopen = () => this.begin();
    this.socket.onmessage = event => this.receive(event.data);
    this.socket.onclose = () => setTimeout(() => this.closed || this.open(), RETRY);
  }

  /* The server tells all that it has kept, and again when it is come back to. */
  begin() {
    this.terminal.reset();
    this.decoder = new TextDecoder();
    this.line = '';
  }

  /* Its machine is not there any more; what was printed stays. */
  hangUp() {
    this.closed = true;
    if (this.socket)
      this.socket.close();
  }

  /* For good. */
  close() {
    this.hangUp();
    this.watcher.disconnect();
    this.terminal.dispose();
  }

  receive(data) {
    const bytes = typeof data === 'string' ? data : new Uint8Array(data);
    const said = typeof data === 'string' ? data
      : this.decoder.decode(bytes, {stream: true});

    this.terminal.write(bytes);
    const lines = (this.line + said).split('\n');
    this.line = lines.pop().slice(-500);
    for (const line of lines) {
      const place = PLACE.exec(line);
      this.on.line(line);
      if (place)
        this.on.place({pid: Number(place[1]), what: place[2], page: toPage(place[3])});
    }
    if (this.next && this.line.replace(SEQUENCES, '').endsWith(PROMPT)) {
      this.type(this.next);
      this.next = '';
    }
  }

  /* End what runs, and type a command when the shell says that it is there. */
  run(command) {
    this.line = ''; /* the prompt that may be there is not the answer */
    this.next = command + '\n';
    this.type(INTERRUPT);
  }

  /* End the program that runs, or that would run at the next prompt. */
  interrupt() {
    this.next = '';
    this.type(INTERRUPT);
  }

  /* What a person would type. */
  type(text) {
    if (this.socket && this.socket.readyState === WebSocket.OPEN)
      this.socket.send(new TextEncoder().encode(text));
  }

  focus() {
    this.terminal.focus();
  }

  theme(name) {
    this.terminal.options.theme = THEMES[name];
  }
}
