/*
 * A browser in front of the explorer's page, for tests. playwright-core is where
 * `make explorer-tests` put it; the browser is the computer's own.
 *
 *   node TEST.mjs ADDRESS SCREENSHOTS     with MODULES and CHROMIUM in the environment
 */
import {createRequire} from 'node:module';
import path from 'node:path';

const [, , address, shots] = process.argv;
export const LIMIT = 20000 * Number(process.env.PATIENCE || 1); /* ms */

export function check(true_, what) {
  if (!true_)
    throw new Error('not so: ' + what);
}

export function same(a, b, what) {
  check(JSON.stringify(a) === JSON.stringify(b),
        `${what}: ${JSON.stringify(a)} is not ${JSON.stringify(b)}`);
}

/* A page, with what tests do to it. */
class Explorer {
  constructor(page) {
    this.page = page;
    this.troubles = [];
    page.setDefaultTimeout(LIMIT);
    page.on('pageerror', e => this.troubles.push(e.stack));
    page.on('console', m => {
      if (m.type() === 'error')
        this.troubles.push(m.text());
    });
  }

  async open(ready) {
    await this.page.goto(address);
    await this.until(ready);
  }

  /* Wait until a function is true in the page; what it was. */
  async until(f, argument) {
    try {
      const handle = await this.page.waitForFunction(f, argument);
      const value = await handle.jsonValue();
      await this.settled();
      return value;
    } catch (error) {
      await this.shot('failed');
      const notice = await this.page.textContent('#notice');
      throw new Error(`never so: ${f}; the page says “${notice}”`, {cause: error});
    }
  }

  ask(f, argument) {
    return this.page.evaluate(f, argument);
  }

  async show(view) {
    await this.page.click(`#tabs [data-view=${view}]`);
    await this.settled();
  }

  /* Wait until what was asked for has come and is drawn. */
  async settled() {
    await this.ask(async () => {
      const wires = window.explorer ? [explorer.wire, explorer.beside.wire] : [];
      while (window.explorer && (explorer.soon || wires.some(w => w && w.waiting.size)))
        await new Promise(done => setTimeout(done, 1));
      await new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
    });
  }

  /* What a function says of the page in a moment in which all that it knows is drawn. */
  async atOnce(f) {
    await this.settled();
    return this.ask(`(async () => {
      while (explorer.soon || explorer.asked)
        await new Promise(done => setTimeout(done, 1));
      return (${f})();
    })()`);
  }

  type(text) {
    return this.ask(t => explorer.console.type(t), text);
  }

  /* The shell waits for a command: what was typed before has been done. */
  prompt() {
    return this.until(prompted);
  }

  /* A program says that, and waits for Enter; the page knows the machine as it is now. */
  async waitsForEnter(words) {
    await this.until(w => explorer.console.line.includes(w) &&
      explorer.console.line.endsWith('(Enter) '), words);
    await this.now();
  }

  /* The page knows the machine as it is now: states that come by themselves may be of
   * a moment ago, and of one that changes meanwhile. */
  async now() {
    await this.ask(async () => {
      await explorer.wire.ask('pause');
      await explorer.wire.ask('continue');
    });
    await this.settled();
  }

  /* The machine stands still. */
  async pause() {
    await this.page.click('#pause');
    await this.until(() => explorer.state.paused);
  }

  async goOn() {
    await this.page.click('#pause');
    await this.until(() => !explorer.state.paused);
  }

  /* Click on a program of the list. */
  async demonstrate(name) {
    await this.page.click('.menu:nth-of-type(1) summary');
    await this.page.click(`[data-demo=${name}]`);
  }

  /* Walk to an address in a superpage of the kernel; which one. */
  walkToSuperpage() {
    return this.ask(async () => {
      const {SUPER, toHex} = await import('./model.js');
      const run = explorer.state.spaces[0].regions.flatMap(r => r.runs).find(
        r => r.flags & SUPER && r.pages >= 512);
      const va = toHex(run.page + 300);
      explorer.views.walk.goTo(0, va);
      return va;
    });
  }

  /* All texts of a drawing. */
  texts(id = 'drawing') {
    return this.page.$$eval(`#${id} text, #${id} pre`,
      all => all.flatMap(t => t.textContent.split('\n')));
  }

  /* The charts of what happens, of a width that no window matters to. */
  charts() {
    return this.ask(async () => {
      const {layout} = await import('./events.js');
      const {shapes} = layout(explorer.state, explorer.views.events.samples,
                              {width: 800, from: 0, to: 1000});
      return JSON.stringify(shapes.slice(0, shapes.findIndex(s => s.k === 'line')));
    });
  }

  async shot(name) {
    await this.page.screenshot({path: path.join(shots, name + '.png')});
  }

  /* What a download is called and has in it. */
  async download(selector) {
    const [file] = await Promise.all([this.page.waitForEvent('download'),
      this.page.click(selector)]);
    const at = path.join(shots, file.suggestedFilename());
    await file.saveAs(at);
    return at;
  }

  /* Nothing is cut off: texts end within their drawings, the last line of a terminal
   * within it, and the bars at the top within the window. */
  async nothingCutOff(where) {
    const out = await this.ask(() => {
      const bad = [], across = document.documentElement.clientWidth; /* no scroll bar */
      for (const svg of document.querySelectorAll('svg[role=img]')) {
        const w = Number(svg.getAttribute('width')), h = Number(svg.getAttribute('height'));
        if (svg.hasAttribute('hidden') || !svg.checkVisibility())
          continue;
        for (const t of svg.querySelectorAll('text')) {
          const b = t.getBBox();
          if (b.width && (b.x < -1 || b.x + b.width > w + 1 || b.y + b.height > h + 2))
            bad.push(`${svg.id}: “${t.textContent}” ${b.x} + ${b.width} of ${w}`);
        }
      }
      for (const pre of document.querySelectorAll('svg pre'))
        if (pre.checkVisibility() && pre.scrollWidth > pre.clientWidth)
          bad.push(`“${pre.textContent.slice(0, 30)}…” ${pre.scrollWidth} of ${pre.clientWidth}`);
      for (const e of document.querySelectorAll('header *, #tabs *, #bar *, #tour *')) {
        const b = e.getBoundingClientRect();
        if (e.checkVisibility() && !e.closest('.pop') && b.width &&
            (b.right > across + 1 || b.left < 0))
          bad.push(`${e.id || e.tagName} “${e.textContent.slice(0, 30)}”`);
      }
      for (const screen of document.querySelectorAll('.xterm-screen')) {
        const box = screen.closest('[id]'), a = screen.getBoundingClientRect();
        const b = box.getBoundingClientRect();
        if (box.checkVisibility() && (a.bottom > b.bottom || a.right > b.right))
          bad.push(`${box.id}: ${a.right}, ${a.bottom} in ${b.right}, ${b.bottom}`);
      }
      if (document.documentElement.scrollWidth > across)
        bad.push('the window scrolls sideways');
      return bad;
    });
    same(out, [], 'cut off in ' + where);
  }

  /* All columns of the view are seen at once. */
  async fitsAcross(where) {
    const [all, seen] = await this.page.$eval('#view', v => [v.scrollWidth, v.clientWidth]);
    check(all <= seen, `${where}: ${all} of ${seen} pixels`);
  }
}

/* In the page: what a terminal has, the first machine's if no other is named. */
function printed(on = explorer.console) {
  const b = on.terminal.buffer.active;
  return Array.from({length: b.length}, (_, i) =>
    b.getLine(i).translateToString(true)).join('\n');
}

/* In the page: what the kernel's table says of the address that is walked to. */
function walkAnswer() {
  return explorer.views.walk.answer;
}

/* In the page: the shell's prompt is the last that was printed. */
function prompted() {
  return explorer.console.line.replace(/\r|\x1b\[[0-9;]*[A-Za-z]/g, '').endsWith('$ ');
}

/* There is a shell, and all of it has come; if the machine runs, one can type to it. */
function shell() {
  return explorer.hello && explorer.state && explorer.frames &&
    explorer.state.spaces.some(s => s.name === 'sh') &&
    (!explorer.hello.control || prompted());
}

/* Run a test on the page, which is begun with when `ready` is true in it. */
export async function run(test, ready = shell) {
  const {chromium} = createRequire(process.env.MODULES + '/')('playwright-core');
  /* With scroll bars, as most have them: they take room. */
  const browser = await chromium.launch({executablePath: process.env.CHROMIUM,
    timeout: LIMIT, ignoreDefaultArgs: ['--hide-scrollbars'], args: process.getuid() === 0 ? ['--no-sandbox'] : []});
  try {
    const page = await browser.newPage({viewport: {width: 1280, height: 800},
      colorScheme: 'light', acceptDownloads: true});
    await page.addInitScript(`Object.assign(window, {printed: ${printed},
      prompted: ${prompted}, walkAnswer: ${walkAnswer}})`);
    const e = new Explorer(page);
    await e.open(ready);
    try {
      await test(e);
    } catch (error) {
      await e.shot('failed');
      throw error;
    }
    same(e.troubles, [], 'errors in the page');
  } catch (error) {
    console.error(error.stack, error.cause ? error.cause.message : '');
    process.exitCode = 1;
  } finally {
    await browser.close();
  }
}
