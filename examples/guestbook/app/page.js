// The pages, as text. Every value goes through the template tag, which escapes it.
import { LIMITS } from './form.js';

const ESCAPES = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };

class Html {
  constructor(text) {
    this.text = text;
  }
}

function render(value) {
  if (value === undefined || value === null || value === false) return '';
  if (value instanceof Html) return value.text;
  if (Array.isArray(value)) return value.map(render).join('');
  return String(value).replace(/[&<>"']/g, (character) => ESCAPES[character]);
}

/** Template tag: escapes every value but what is Html already. */
function markup(strings, ...values) {
  return new Html(strings.reduce((text, part, index) => text + render(values[index - 1]) + part));
}

const LIGHTHOUSE = new Html(`<svg class="lighthouse" viewBox="0 0 120 160" aria-hidden="true">
  <radialGradient id="light" cx="60" cy="35" r="260" gradientUnits="userSpaceOnUse"><stop class="near" offset="0"/><stop class="far" offset="1"/></radialGradient>
  <path class="beam" fill="url(#light)" d="M60 35 L-200 -30 L-200 100 Z M60 35 L320 -30 L320 100 Z"/>
  <path class="rock" d="M8 160 Q22 132 60 132 Q98 132 112 160 Z"/>
  <path class="tower" d="M46 134 L51 50 L69 50 L74 134 Z"/>
  <path class="stripe" d="M49.9 69 L70.1 69 L71.3 89 L48.7 89 Z"/><path class="stripe" d="M47.6 108 L72.4 108 L73.6 128 L46.4 128 Z"/>
  <rect class="rail" x="45" y="46" width="30" height="5" rx="2"/><rect class="lamp" x="52" y="26" width="16" height="20" rx="2"/>
  <path class="roof" d="M48 27 L60 14 L72 27 Z"/>
</svg>`);

function layout(title, body) {
  return markup`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="icon" href="data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 16 16'%3E%3Cpath d='M6 15 7 5h2l1 10zM6 5l2-4 2 4z' fill='%23e4572e'/%3E%3C/svg%3E">
<link rel="stylesheet" href="/style.css">
</head>
<body>
${body}
</body>
</html>
`.text;
}

/** The book: form, entries, and where they came from. */
export function guestbookPage({ list, from, visits, total, milliseconds, startedAt, form }) {
  return layout(
    'The guestbook',
    markup`<header>
  ${LIGHTHOUSE}
  <div>
    <h1>The guestbook</h1>
    <p>You have reached a small haven. Leave a line for those who land here after you.</p>
  </div>
</header>
<main>
  ${facts({ total, visits })}
  ${signForm(form)}
  <section id="entries" aria-label="Entries">
    <h2>Who was here</h2>
    ${list.length === 0 ? markup`<p class="empty">The book is empty. Be the first to sign it.</p>` : markup`<ol>${list.map(entryItem)}</ol>`}
  </section>
</main>
<footer>
  <p>Entries came from <b>${from}</b> in ${milliseconds.toFixed(1)} ms. Running since <time datetime="${startedAt.toISOString()}">${dateText(startedAt)}</time>.</p>
  <p>Three native processes, deployed by Hithe: Node.js, PostgreSQL, Valkey.</p>
</footer>`,
  );
}

function facts({ total, visits }) {
  return markup`<dl class="facts">
    <div><dt>${total === 1 ? 'entry' : 'entries'} in PostgreSQL</dt><dd>${total}</dd></div>
    <div><dt>${visits === 1 ? 'visit' : 'visits'} counted in Valkey</dt><dd>${visits ?? '–'}</dd></div>
  </dl>`;
}

function signForm({ fields = {}, faults = [] }) {
  const faultOf = (field) => faults.find((fault) => fault.field === field)?.message;
  const mark = (field) => faultOf(field) && markup` aria-invalid="true" aria-describedby="${field}-fault"`;
  const remark = (field) => faultOf(field) && markup`<span class="fault" id="${field}-fault" role="alert">${faultOf(field)}</span>`;
  return markup`<form method="post" action="/sign">
    <h2>Sign the book</h2>
    <label>Name ${remark('name')}
      <input name="name" required maxlength="${LIMITS.name}" autocomplete="name" value="${fields.name}"${mark('name')}>
    </label>
    <label>Message ${remark('message')}
      <textarea name="message" required maxlength="${LIMITS.message}" rows="3"${mark('message')}>${fields.message}</textarea>
    </label>
    <button>Sign</button>
  </form>`;
}

function entryItem({ name, message, signedAt }) {
  const initial = [...name][0].toUpperCase();
  const hue = [...name].reduce((sum, character) => sum + character.codePointAt(0), 0) % 6;
  return markup`<li>
      <span class="initial hue-${hue}" aria-hidden="true">${initial}</span>
      <div><p class="who"><b>${name}</b> <time datetime="${signedAt}">${dateText(new Date(signedAt))}</time></p>
      <p class="message">${message}</p></div>
    </li>`;
}

function dateText(date) {
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

/** A page that says why there is no other. */
export function errorPage(title, message) {
  return layout(
    title,
    markup`<header>${LIGHTHOUSE}<div><h1>${title}</h1><p>${message}</p><p><a href="/">Back to the book</a></p></div></header>`,
  );
}
