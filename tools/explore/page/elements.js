/*
 * Elements of the page's document: found by their id, made, and changed no more
 * often than what they say.
 */
export const $ = id => document.getElementById(id);

/* Hide an element or not; a browser would style the same anew. */
export function hide(element, is) {
  if (element.hidden !== is)
    element.hidden = is;
}

export function setText(element, s) {
  if (element.textContent !== s)
    element.textContent = s;
}

/* What else it has: attributes by their names. */
export function button(label, act, attributes = {}) {
  const b = document.createElement('button');

  b.type = 'button';
  b.textContent = label;
  for (const [name, value] of Object.entries(attributes))
    b.setAttribute(name, value);
  b.addEventListener('click', act);
  return b;
}

export function note(text, id = '') {
  return Object.assign(document.createElement('span'), {textContent: text, id});
}
