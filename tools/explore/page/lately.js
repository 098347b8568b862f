/*
 * What was there a moment ago. Where programs come and go several times a second, what
 * follows from all of them (a scale, a legend, the room for columns) would be another one as
 * often, and a browser would draw all of it anew: so it heeds what was there lately, too.
 */
export class Lately {
  /* again() is called when there is less to heed, though nothing new has come. */
  constructor(ms, again) {
    Object.assign(this, {ms, again, all: new Map()});
  }

  /* there: a Map of what is there now. What is not, but was lately. */
  heed(there) {
    const now = performance.now();

    for (const [key, thing] of there)
      this.all.set(key, {thing, until: now + this.ms});
    for (const [key, {until}] of this.all)
      if (until <= now)
        this.all.delete(key);
    clearTimeout(this.waits);
    if (this.all.size > there.size)
      this.waits = setTimeout(this.again, this.ms);
    return [...this.all].filter(([key]) => !there.has(key)).map(([, {thing}]) => thing);
  }

  forget() {
    this.all.clear();
  }
}
