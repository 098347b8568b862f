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

  async open() {
    await this.page.goto(address);
    await this.until(() => explorer.hello && explorer.state &&
      explorer.state.spaces.some(s => s.name === 'sh') && explorer.frames);
  }

  /* Wait until a function is true in the page; what it was. */
  async until(f, argument) {
    try {
      const handle = await this.page.waitForFunction(f, argument);
      return await handle.jsonValue();
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

  /* Wait until what was asked for is drawn. */
  async settled() {
    await this.ask(() => new Promise(done => requestAnimationFrame(
      () => requestAnimationFrame(done))));
  }

  type(text) {
    return this.ask(t => explorer.type(t), text);
  }

  /* All texts of a drawing. */
  texts(id = 'drawing') {
    return this.page.$$eval(`#${id} text`, all => all.map(t => t.textContent));
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

  /* Nothing is cut off: texts end within their drawings, and the bars at the
   * top within the window. */
  async nothingCutOff(where) {
    const out = await this.ask(() => {
      const bad = [];
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
      for (const e of document.querySelectorAll('header *, #tabs *, #bar *, #tour *')) {
        const b = e.getBoundingClientRect();
        if (e.checkVisibility() && !e.closest('.pop') && b.width &&
            (b.right > innerWidth + 1 || b.left < 0))
          bad.push(`${e.id || e.tagName} “${e.textContent.slice(0, 30)}”`);
      }
      if (document.documentElement.scrollWidth > innerWidth)
        bad.push('the window scrolls sideways');
      return bad;
    });
    same(out, [], 'cut off in ' + where);
  }
}

/* Run a test; the process's status says how it went. */
export async function run(test) {
  const {chromium} = createRequire(process.env.MODULES + '/')('playwright-core');
  const browser = await chromium.launch({executablePath: process.env.CHROMIUM,
    args: process.getuid() === 0 ? ['--no-sandbox'] : []});
  try {
    const page = await browser.newPage({viewport: {width: 1280, height: 800},
      colorScheme: 'light', acceptDownloads: true});
    const e = new Explorer(page);
    await e.open();
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
